-- +goose Up
-- A case knows since when it is in its state; a question, at which point and about which page it was asked.
alter table cases add column state_since bigint not null default 0;
update cases set state_since = coalesce(
    (select max(j.at) from journal as j
        where j.tenant = cases.tenant and j.subject = 'case/' || cases.id and j.facts like '%"case.state_changed"%'),
    created_at);
alter table questions add column question text not null default 'about_to_submit';
alter table questions add column page text not null default '';
