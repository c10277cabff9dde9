drop table core.search_head, core.search_entry;
alter table core.workspace drop column language;
drop index core.record_created_idx;
