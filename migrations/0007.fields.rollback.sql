comment on column core.field.options is null;
alter table core.field drop column on_delete, drop column target;
alter table core.collection
  reset (toast_tuple_target),
  drop column required_fields, drop column defaults, drop column rules, drop column unknown_fields;
comment on column core.collection.workflow is null;
