-- Roughly how many bytes a document has as text; cheap for small ones, which are not stored compressed.
create or replace function logic.jsonb_size(p_document jsonb) returns bigint
language sql stable parallel safe
as $$
  select case
    when p_document is null then 0
    when pg_column_size(p_document) < 1000 then pg_column_size(p_document)
    else octet_length(p_document::text)
  end::bigint
$$;
comment on function logic.jsonb_size(jsonb) is 'The size of a document in bytes, roughly.';
