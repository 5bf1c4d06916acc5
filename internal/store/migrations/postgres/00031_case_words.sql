-- +goose Up
-- Cases are searched by words. folding is 2 where search, search_private and search_restricted are words with a space
-- between two; the store splits the rest in portions once it is open, as it folded them.

drop index cases_unfolded;
create index cases_unfolded on cases (id) where folding < 2;

-- The words with the weights A, B and C for the three texts, and # with the tenant. The casts depend on no locale.
-- Rows of an older server, which may share the database, have none until the store has split them.

alter table cases add column words tsvector;
create index cases_by_word on cases using gin (words) with (gin_pending_list_limit = 512);
-- +goose StatementBegin
create function case_words(text text) returns tsvector language sql immutable as $$
    select cast(coalesce(string_agg('''' || word || ''':' || least(place, 16383), ' '), '') as tsvector)
    from unnest(string_to_array(text, ' ')) with ordinality as w (word, place) where word <> ''
$$;
-- +goose StatementEnd
-- +goose StatementBegin
create function case_words_save() returns trigger language plpgsql as $$
begin
    if new.folding < 2 then
        new.words := null;
        return new;
    end if;
    if tg_op = 'UPDATE' and old.words is not null and new.search = old.search
        and new.search_private = old.search_private and new.search_restricted = old.search_restricted then
        return new;
    end if;
    new.words := cast('''#' || new.tenant || '''' as tsvector)
        || setweight(case_words(new.search), 'A')
        || setweight(case_words(new.search_private), 'B')
        || setweight(case_words(new.search_restricted), 'C');
    return new;
end
$$;
-- +goose StatementEnd
create trigger case_words_save before insert or update of search, search_private, search_restricted, folding on cases
    for each row execute function case_words_save();
