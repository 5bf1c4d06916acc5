-- +goose Up
-- Cases are searched by words. folding is 2 where search, search_private and search_restricted are words with a space
-- between two; the store splits the rest in portions once it is open, as it folded them.

drop index cases_unfolded;
create index cases_unfolded on cases (id) where folding < 2;

-- The index of words. A document stands for a case: documents are in the order in which cases were created, so that the
-- newest cases are found first. 2048 of them fit into a microsecond; if there are more, they count as the newest.

create table case_documents (
    document integer primary key,
    tenant   integer not null,
    case_id  integer not null,
    unique (tenant, case_id)
);
create virtual table case_words using fts5 (
    tenant, search, search_private, search_restricted, content = '', contentless_delete = 1, tokenize = 'ascii'
);

-- +goose StatementBegin
create trigger case_words_inserted after insert on cases when new.folding = 2 begin
    insert into case_documents (document, tenant, case_id)
        select case
            when last is null then new.created_at * 2048
            when last < new.created_at * 2048 + 2047 then last + 1
            else (select max(document) + 1 from case_documents)
            end, new.tenant, new.id
        from (select max(document) as last from case_documents
            where document >= new.created_at * 2048 and document < new.created_at * 2048 + 2048);
    insert into case_words (rowid, tenant, search, search_private, search_restricted)
        select document, char(63743) || new.tenant, new.search, new.search_private, new.search_restricted
        from case_documents where tenant = new.tenant and case_id = new.id;
end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger case_words_updated after update of search, search_private, search_restricted, folding on cases
    when new.folding = 2 and (old.folding < 2 or new.search <> old.search
        or new.search_private <> old.search_private or new.search_restricted <> old.search_restricted) begin
    insert into case_documents (document, tenant, case_id)
        select case
            when last is null then new.created_at * 2048
            when last < new.created_at * 2048 + 2047 then last + 1
            else (select max(document) + 1 from case_documents)
            end, new.tenant, new.id
        from (select max(document) as last from case_documents
            where document >= new.created_at * 2048 and document < new.created_at * 2048 + 2048)
        where not exists (select 1 from case_documents where tenant = new.tenant and case_id = new.id);
    delete from case_words
        where rowid = (select document from case_documents where tenant = new.tenant and case_id = new.id);
    insert into case_words (rowid, tenant, search, search_private, search_restricted)
        select document, char(63743) || new.tenant, new.search, new.search_private, new.search_restricted
        from case_documents where tenant = new.tenant and case_id = new.id;
end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger case_words_deleted after delete on cases begin
    delete from case_words
        where rowid = (select document from case_documents where tenant = old.tenant and case_id = old.id);
    delete from case_documents where tenant = old.tenant and case_id = old.id;
end;
-- +goose StatementEnd
