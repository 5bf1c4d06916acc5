-- +goose Up
create table labels (
    tenant     bigint not null references tenants (id),
    slug       text not null,
    name       text not null,
    color      text not null,
    created_at bigint not null,
    primary key (tenant, slug)
);

-- Which cases carry a label; the list that a case shows is in its own row.
create table case_labels (
    tenant  bigint not null,
    case_id bigint not null,
    slug    text not null,
    primary key (tenant, case_id, slug),
    foreign key (tenant, slug) references labels (tenant, slug)
);
create index case_labels_by_slug on case_labels (tenant, slug, case_id);

alter table cases add column labels text not null default ''; -- slugs, sorted, with a space between
alter table cases add column assignee bigint not null default 0; -- a user; 0: no-one
alter table cases add column assignee_name text not null default '';
alter table cases add column closed_at bigint not null default 0; -- 0: open
alter table cases add column status_changed_by bigint not null default 0; -- a user; 0: nobody, or a program
alter table cases add column last_activity_at bigint not null default 0;
create index cases_by_assignee on cases (tenant, assignee, created_at, id);
