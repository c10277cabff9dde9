-- The text search configuration of a language (see core.workspace.language).
create or replace function logic.search_config(p_language text) returns regconfig
language sql stable strict parallel safe
as $$ select ('pg_catalog.' || quote_ident(p_language))::regconfig $$;
comment on function logic.search_config(text) is 'The text search configuration of a language.';
