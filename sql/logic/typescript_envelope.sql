create or replace function logic.typescript_envelope() returns text
language sql immutable parallel safe
as $$
  select logic.typescript_doc('A record as the API answers it: its document, and what every record has beside it.', '') || $ts$export interface Envelope<Collection extends string, Data> {
  id: string;
  displayId: string;
  collection: Collection;
  number: number;
  data: Data;
  position: string;
  version: number;
  createdAt: string;
  createdBy: string | null;
  updatedAt: string;
  updatedBy: string | null;
  deletedAt: string | null;
}$ts$
$$;
comment on function logic.typescript_envelope() is 'The TypeScript type of a record.';
