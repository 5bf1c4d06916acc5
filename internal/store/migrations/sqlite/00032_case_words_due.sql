-- +goose Up
-- Triggers note the documents whose words have changed, and the store writes the words of all of them in one statement
-- before the commit. The index of words writes a segment at each statement that it is in, and at each savepoint.

create table case_words_due (
    document integer primary key,
    indexed  boolean not null -- the index has older words of it
);

drop trigger case_words_inserted;
drop trigger case_words_updated;
drop trigger case_words_deleted;

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
    insert or ignore into case_words_due (document, indexed)
        select document, false from case_documents where tenant = new.tenant and case_id = new.id;
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
    insert or ignore into case_words_due (document, indexed)
        select document, true from case_documents where tenant = new.tenant and case_id = new.id;
end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger case_words_deleted after delete on cases begin
    delete from case_words
        where rowid = (select document from case_documents where tenant = old.tenant and case_id = old.id);
    delete from case_words_due
        where document = (select document from case_documents where tenant = old.tenant and case_id = old.id);
    delete from case_documents where tenant = old.tenant and case_id = old.id;
end;
-- +goose StatementEnd
