-- +goose Up
-- Lists of cases are sorted by each of their times.

create index cases_by_modified on cases (tenant, modified_at, id);
create index cases_by_closed on cases (tenant, closed_at, id) where closed_at > 0;
create index cases_by_last_activity on cases (tenant, last_activity_at, id);
