-- The seq that a write into a workspace answers: of its last change; a repeat answers what the write itself did.
-- Locks: the clock, which a write holds already.
create or replace function logic.written_seq(p_workspace_id uuid) returns bigint
language sql volatile
as $$ select coalesce(logic.repeated_seq(), logic.seq_last(p_workspace_id)) $$;
comment on function logic.written_seq(uuid) is 'The seq that a write into a workspace answers.';
