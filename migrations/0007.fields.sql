-- depends: 0006.accounts
-- What a field holds, beyond its type: references, and what becomes of them; what a collection says of fields that it does not name.

alter table core.collection
  add column unknown_fields text not null default 'keep' check (unknown_fields in ('keep', 'refuse')),
  add column rules jsonb not null default '{}';
comment on column core.collection.unknown_fields is 'Whether a document may hold keys that are no field of its collection.';
comment on column core.collection.rules is 'Its fields as record__150_fields reads them, by key. Kept by a trigger on core.field.';
comment on column core.collection.workflow is 'null, or [{field, transitions: [{from, to, roles?, requires?}]}]: how the values of select fields may change, and by whom.';

alter table core.field
  add column target text,
  add column on_delete text not null default 'unset' check (on_delete in ('refuse', 'unset', 'delete')),
  add foreign key (workspace_id, target) references core.collection (workspace_id, key);
comment on column core.field.target is 'Of a reference: the collection that it leads into; null: any.';
comment on column core.field.on_delete is 'Of a reference: what the deletion of its record does: it is refused, the reference is unset, or the record that holds it is deleted too.';
comment on column core.field.options is 'Of a select: {value, label, color?} in their order, or the bare value.';
