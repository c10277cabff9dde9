drop table core.comment;
alter table core.record drop column comment_count;
