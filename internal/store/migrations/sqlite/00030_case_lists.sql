-- +goose Up
-- Each condition that lists of cases have finds an index in the order of the list.

create index cases_by_state_alone on cases (tenant, state, created_at, id);
create index cases_by_assignee_and_state on cases (tenant, assignee, state, created_at, id);

-- created_at is that of the case. An older server, which may share the database, writes rows without it.

alter table case_labels add column created_at integer not null default 0;
update case_labels set created_at = coalesce((
    select c.created_at from cases c where c.tenant = case_labels.tenant and c.id = case_labels.case_id), 0);
drop index case_labels_by_slug;
create index case_labels_by_slug on case_labels (tenant, slug, created_at, case_id);
-- +goose StatementBegin
create trigger case_labels_time after insert on case_labels begin
    update case_labels set created_at = coalesce((
            select c.created_at from cases c where c.tenant = new.tenant and c.id = new.case_id), 0)
        where tenant = new.tenant and case_id = new.case_id and slug = new.slug;
end;
-- +goose StatementEnd
