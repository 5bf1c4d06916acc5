-- +goose Up
-- The words around a case, by clearance: its comments, the names of its files and of its contacts. folding is 1 where
-- they are up to date; the store makes the others in portions once it is open.

create table case_texts (
    tenant            integer not null,
    case_id           integer not null,
    search            text not null,
    search_private    text not null,
    search_restricted text not null,
    folding           integer not null,
    primary key (tenant, case_id)
);
create index case_texts_unfolded on case_texts (tenant, case_id) where folding = 0;
insert into case_texts (tenant, case_id, search, search_private, search_restricted, folding)
    select tenant, case_id, '', '', '', 0 from comments
    union select tenant, case_id, '', '', '', 0 from attachments
    union select tenant, case_id, '', '', '', 0 from case_contacts;

-- +goose StatementBegin
create trigger case_texts_inserted after insert on case_texts begin
    insert into case_words_due (document, indexed) -- the conflicts of the statement that fires this have another policy
        select document, true from case_documents where tenant = new.tenant and case_id = new.case_id
            and document not in (select document from case_words_due);
end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger case_texts_updated after update of search, search_private, search_restricted on case_texts begin
    insert into case_words_due (document, indexed) -- the conflicts of the statement that fires this have another policy
        select document, true from case_documents where tenant = new.tenant and case_id = new.case_id
            and document not in (select document from case_words_due);
end;
-- +goose StatementEnd
