-- What tells one request from another that came with the same id. Of an upload its content does; where its bytes were put is
-- another place with every try. Of a transaction what its client said, in whatever spelling: a queue may be sent by another program than
-- the one that sent its transactions first, and what a replay adds (see replay.py) is none of it.
create or replace function logic.request_hash(p_function text, p_arguments text) returns bytea
language sql stable parallel safe
as $$
  select sha256(convert_to(p_function || ' ' || case p_function
    when 'attachment_create' then (p_arguments::jsonb - '{attachment,storageKey}'::text[])::text
    when 'transaction_apply' then (jsonb '{"baseVersions": {}, "onConflict": "reject"}' || p_arguments::jsonb - '{id,queue}'::text[])::text
    else p_arguments
  end, 'UTF8'))
$$;
comment on function logic.request_hash(text, text) is 'A hash of a call: its function and its arguments.';
