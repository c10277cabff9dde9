-- Writes faces.event and faces.shape, which call the functions of schema faces by name, one static branch for each, so that a face
-- costs no line anywhere else. Made anew from the catalogue at the end of each load of sql/ (see dispatcher_build).
-- A form is a function faces.<form>_event(change, record, native event, out name, out data), a shape one faces.<shape>(record).
create or replace function logic.faces_build() returns void
language plpgsql volatile
as $$
declare
  v_forms text;
  v_shapes text;
begin
  select
    string_agg(format('    when %L then select x.event, x.data into event, data from faces.%I(p_change, p_record, p_native) x;',
      regexp_replace(p.proname, '_event$', ''), p.proname), E'\n' order by p.proname)
      filter (where a.types = '{core.change,core.record,jsonb}'::regtype[]::oid[] and p.proname ~ '_event$'),
    string_agg(format('    when %L then return faces.%I(p_record);', p.proname, p.proname), E'\n' order by p.proname)
      filter (where a.types = '{core.record}'::regtype[]::oid[] and p.prorettype = 'jsonb'::regtype)
  into v_forms, v_shapes
  from pg_catalog.pg_proc p
  cross join lateral (select array(select unnest(p.proargtypes)) as types) a
  where p.pronamespace = 'faces'::regnamespace;
  execute format(
    $function$
      create or replace function faces.event(
        p_form text, p_change core.change, p_record core.record, p_native jsonb, out event text, out data jsonb)
      language plpgsql stable as %L
    $function$,
    E'begin\n  case p_form\n' || v_forms || E'\n    else null;\n  end case;\nend');
  comment on function faces.event(text, core.change, core.record, jsonb)
    is 'Name and data of an event in another form than the native one, or null; written by logic.faces_build.';
  execute format(
    $function$
      create or replace function faces.shape(p_shape text, p_record core.record) returns jsonb
      language plpgsql stable as %L
    $function$,
    E'begin\n  case p_shape\n' || v_shapes || E'\n  end case;\nend');
  comment on function faces.shape(text, core.record) is 'A record in a shape of a face, by its name; written by logic.faces_build.';
end
$$;
comment on function logic.faces_build() is 'Makes the dispatchers of forms and shapes from the catalogue.';
