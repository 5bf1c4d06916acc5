-- +goose Up
-- The words around a case, by clearance: its comments, the names of its files and of its contacts. folding is 1 where
-- they are up to date; the store makes the others in portions once it is open.

create table case_texts (
    tenant            bigint not null,
    case_id           bigint not null,
    search            text not null,
    search_private    text not null,
    search_restricted text not null,
    folding           bigint not null,
    primary key (tenant, case_id)
);
create index case_texts_unfolded on case_texts (tenant, case_id) where folding = 0;
insert into case_texts (tenant, case_id, search, search_private, search_restricted, folding)
    select tenant, case_id, '', '', '', 0 from comments
    union select tenant, case_id, '', '', '', 0 from attachments
    union select tenant, case_id, '', '', '', 0 from case_contacts;

-- +goose StatementBegin
create or replace function case_words_save() returns trigger language plpgsql as $$
declare
    around record;
begin
    if new.folding < 2 then
        new.words := null;
        return new;
    end if;
    if tg_op = 'UPDATE' and old.words is not null and new.words is not null and new.search = old.search
        and new.search_private = old.search_private and new.search_restricted = old.search_restricted then
        return new;
    end if;
    if tg_op = 'UPDATE' then
        select t.search, t.search_private, t.search_restricted into around
            from case_texts t where t.tenant = new.tenant and t.case_id = new.id;
    else
        select '' as search, '' as search_private, '' as search_restricted into around;
    end if;
    new.words := cast('''#' || new.tenant || '''' as tsvector)
        || setweight(case_words(concat_ws(' ', new.search, around.search)), 'A')
        || setweight(case_words(concat_ws(' ', new.search_private, around.search_private)), 'B')
        || setweight(case_words(concat_ws(' ', new.search_restricted, around.search_restricted)), 'C');
    return new;
end
$$;
-- +goose StatementEnd
-- +goose StatementBegin
create function case_texts_save() returns trigger language plpgsql as $$
begin
    update cases set words = null, folding = folding where tenant = new.tenant and id = new.case_id and folding = 2;
    return null;
end
$$;
-- +goose StatementEnd
create trigger case_texts_save after insert or update of search, search_private, search_restricted on case_texts
    for each row execute function case_texts_save();
