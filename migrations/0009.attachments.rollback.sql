drop table core.attachment;
alter table core.record drop column attachment_count;
