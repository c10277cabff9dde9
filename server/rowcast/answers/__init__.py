"""Answer models: what an answer holds, for the OpenAPI document and the tests that compare.

Nothing is parsed by them at run time: answers are made in SQL and pass through as bytes.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel

from rowcast.answers.accounts import (
    AccessTokens,
    Account,
    Erased,
    NewAccessToken,
    NewAccount,
    RepeatedAccessToken,
    SampleUsers,
    SignedIn,
    SignIns,
    Status,
    Ticket,
)
from rowcast.answers.base import Answer
from rowcast.answers.faces import (
    AtlasFields,
    AtlasTasks,
    AtlasTaskWritten,
    CampaignExecution,
    CampaignItemWritten,
    FacePage,
    FaceRecord,
    FaceRecordWritten,
    SimflowActivity,
    SimflowRemarkWritten,
    SimflowRequests,
    SimflowRequestTold,
    SimflowRequestWritten,
    SimflowUsers,
)
from rowcast.answers.records import (
    Activities,
    Attachments,
    AttachmentWritten,
    Changes,
    Comments,
    CommentWritten,
    FoundRecords,
    Imported,
    Record,
    Records,
    RecordWritten,
    Replayed,
    SearchAllResults,
    SearchResults,
    Snapshot,
    TransactionApplied,
    Undoables,
    Undone,
)
from rowcast.answers.workspaces import (
    AuditEvents,
    CollectionFields,
    Collections,
    CollectionWritten,
    Deleted,
    Entered,
    InvitationWritten,
    Joined,
    Left,
    Members,
    MemberWritten,
    Migration,
    OpenInvitations,
    Presences,
    RolesWritten,
    Workspace,
    WorkspaceRoles,
    Workspaces,
    WorkspaceWritten,
)


class Live(Answer):
    """The process answers."""

    status: Literal["live"]
    version: str


class Ready(Answer):
    """The database answers too."""

    status: Literal["ready"]
    version: str
    streams: int
    present: int


# By operation: the SQL function of a route, or the handler. Several models: one of them.
ANSWERS: Mapping[str, tuple[type[BaseModel], ...]] = {
    "account_get": (Account,),
    "account_erase": (Erased,),
    "update_me": (Account,),
    "session_list": (SignIns,),
    "session_revoke": (Erased,),
    "token_list": (AccessTokens,),
    "token_create": (NewAccessToken, RepeatedAccessToken),
    "token_revoke": (Erased,),
    "ticket_create": (Ticket,),
    "register": (Status,),
    "verify_email": (NewAccount,),
    "login": (SignedIn,),
    "demo_users": (SampleUsers,),
    "demo_login": (SignedIn,),
    "refresh": (SignedIn,),
    "logout": (Status,),
    "password_reset": (Status,),
    "password_reset_confirm": (Status,),
    "accept_invitation": (WorkspaceWritten, Joined),
    "workspace_list": (Workspaces,),
    "workspace_create": (Workspace,),
    "workspace_get": (Workspace,),
    "workspace_update": (WorkspaceWritten,),
    "workspace_delete": (Deleted,),
    "workspace_restore": (WorkspaceWritten,),
    "workspace_transfer": (WorkspaceWritten,),
    "member_list": (Members,),
    "member_update": (MemberWritten,),
    "member_remove": (Deleted,),
    "role_list": (WorkspaceRoles,),
    "role_replace": (RolesWritten,),
    "invitation_list": (OpenInvitations,),
    "invitation_create": (InvitationWritten,),
    "invitation_revoke": (Deleted,),
    "audit_list": (AuditEvents,),
    "collection_list": (Collections,),
    "collection_create": (CollectionWritten,),
    "collection_update": (CollectionWritten,),
    "field_list": (CollectionFields,),
    "field_replace": (CollectionWritten, Migration),
    "record_list": (Records,),
    "record_create": (RecordWritten,),
    "record_get": (Record,),
    "records_get": (FoundRecords,),
    "record_update": (RecordWritten,),
    "record_delete": (Deleted,),
    "record_restore": (RecordWritten,),
    "record_move": (RecordWritten,),
    "transaction_apply": (TransactionApplied,),
    "transaction_replay": (Replayed,),
    "undo_list": (Undoables,),
    "transaction_undo": (Undone,),
    "transaction_redo": (Undone,),
    "comment_list": (Comments,),
    "record_activity": (Activities,),
    "workspace_activity": (Activities,),
    "comment_create": (CommentWritten,),
    "comment_update": (CommentWritten,),
    "comment_delete": (Deleted,),
    "attachment_list": (Attachments,),
    "attachment_upload": (AttachmentWritten,),
    "attachment_delete": (Deleted,),
    "search": (SearchResults,),
    "search_all": (SearchAllResults,),
    "presence_enter": (Entered,),
    "presence_leave": (Left,),
    "presence_list": (Presences,),
    "snapshot": (Snapshot,),
    "changes": (Changes,),
    "record_import": (Imported,),
    "atlas_task_list": (AtlasTasks,),
    "atlas_task_create": (AtlasTaskWritten,),
    "atlas_task_update": (AtlasTaskWritten,),
    "atlas_field_list": (AtlasFields,),
    "face_list": (FacePage,),
    "face_get": (FaceRecord,),
    "face_create": (FaceRecordWritten,),
    "face_update": (FaceRecordWritten,),
    "face_delete": (Deleted,),
    "simflow_request_list": (SimflowRequests,),
    "simflow_request_get": (SimflowRequestTold,),
    "simflow_request_create": (SimflowRequestWritten,),
    "simflow_request_status": (SimflowRequestWritten,),
    "simflow_request_assign": (SimflowRequestWritten,),
    "simflow_comment_create": (SimflowRemarkWritten,),
    "simflow_activity_list": (SimflowActivity,),
    "simflow_user_list": (SimflowUsers,),
    "campaign_execution": (CampaignExecution,),
    "campaign_task_move": (CampaignItemWritten,),
    "live": (Live,),
    "ready": (Ready,),
}
