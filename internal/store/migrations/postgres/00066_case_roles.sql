-- +goose Up
-- Roles of case types that are granted case by case. A holder is user/<id>, token/<id> or group/<further role>.
create table case_roles (
    tenant  bigint not null references tenants (id),
    case_id bigint not null,
    holder  text not null,
    role    text not null,
    primary key (tenant, case_id, holder, role)
);
