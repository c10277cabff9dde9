-- How well words match a query, from 0 to below 1: how often and how near together its words stand, those of titles before those of
-- other texts before those of comments; longer texts count a little less.
create or replace function logic.search_rank(p_words tsvector, p_query tsquery) returns real
language sql immutable parallel safe
as $$ select coalesce(ts_rank_cd('{0.1, 0.1, 0.3, 1.0}', p_words, p_query, 1 | 32), 0)::real $$;
comment on function logic.search_rank(tsvector, tsquery) is 'How well words match a query.';
