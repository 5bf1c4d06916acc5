-- +goose Up
-- What is searched in was in lower case. Since spellings are folded, folding is 1 where
-- it is; the store folds the rest in portions once it is open.

alter table cases add column folding bigint not null default 0;
alter table contacts add column folding bigint not null default 0;
create index cases_unfolded on cases (id) where folding = 0;
create index contacts_unfolded on contacts (id) where folding = 0;

-- A name as it is compared, whatever its spelling. Of endpoints that were named alike
-- before, the first has it; that of each other ends with a line break and its id.

alter table endpoints add column name_key text not null default '';
create unique index endpoints_by_name_key on endpoints (tenant, name_key) where name_key <> '';
