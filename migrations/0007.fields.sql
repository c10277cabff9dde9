-- depends: 0006.accounts
-- What a field holds, beyond its type: references, and what becomes of them; what a collection says of fields that it does not name.

alter table core.collection
  add column unknown_fields text not null default 'keep' check (unknown_fields in ('keep', 'refuse')),
  add column rules jsonb not null default '{}',
  add column defaults jsonb not null default '{}',
  add column required_fields text[] not null default '{}',
  set (toast_tuple_target = 8160);
comment on column core.collection.unknown_fields is 'Whether a document may hold keys that are no field of its collection.';
comment on column core.collection.rules is 'Its fields as record__150_fields reads them, by key. Kept by a trigger on core.field.';
comment on column core.collection.defaults is 'The defaults of its fields, by key. Kept with rules.';
comment on column core.collection.required_fields is 'The keys of its required fields. Kept with rules.';
comment on column core.collection.workflow is 'null, or [{field, transitions: [{from, to, roles?, requires?}]}]: how the values of select fields may change, and by whom.';

alter table core.field
  add column target text,
  add column on_delete text not null default 'unset' check (on_delete in ('refuse', 'unset', 'delete')),
  add foreign key (workspace_id, target) references core.collection (workspace_id, key);
comment on column core.field.target is 'Of a reference: the collection that it leads into; null: any.';
comment on column core.field.on_delete is 'Of a reference: what the deletion of its record does: it is refused, the reference is unset, or the record that holds it is deleted too.';
comment on column core.field.options is 'Of a select: {value, label, color?} in their order, or the bare value.';

-- Every write of a record reads the rules of its collection: toast_tuple_target keeps them in their row as they are. Those of collections
-- that are there already are made here, as logic.collection_rules makes them afterwards.
update core.collection c
set rules = f.rules, defaults = f.defaults, required_fields = f.required
from (
  select f.workspace_id, f.collection,
    jsonb_object_agg(f.key, jsonb_build_object('type', f.type)
      || case when f.type in ('text', 'long_text') then '{"plain": "string"}'::jsonb
        when f.type in ('number', 'boolean') then jsonb_build_object('plain', f.type) else '{}' end
      || case when f.required then '{"required": true}'::jsonb else '{}' end
      || case when f.options <> '[]' then jsonb_build_object('options', f.options) else '{}' end) as rules,
    coalesce(jsonb_object_agg(f.key, f.default_value) filter (where f.default_value is not null), '{}') as defaults,
    coalesce(array_agg(f.key) filter (where f.required), '{}') as required
  from core.field f
  group by f.workspace_id, f.collection
) f
where c.workspace_id = f.workspace_id and c.key = f.collection;
