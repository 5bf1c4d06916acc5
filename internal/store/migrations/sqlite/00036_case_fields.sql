-- +goose Up
-- The values of fields that definitions mark as indexed: cases have theirs as JSON, and triggers keep a row for each.
-- level is that of the clearance that sees the value. case_field_tasks has the types whose older cases are yet to be
-- indexed: how far that has come, and the fields by which lists have to wait for it.

alter table cases add column indexed text not null default '';
create table case_fields (
    tenant     integer not null,
    case_id    integer not null,
    type       text not null,
    field      text not null,
    value      text not null,
    level      integer not null,
    created_at integer not null,
    primary key (tenant, case_id, field)
);
create index case_fields_by_value on case_fields (tenant, type, field, value, created_at, case_id);
create table case_field_tasks (
    tenant     integer not null,
    type       text not null,
    fields     text not null,
    began_at   integer not null,
    again      boolean not null, -- it checks the cases that other nodes wrote meanwhile
    created_at integer not null,
    case_id    integer not null,
    primary key (tenant, type)
);

-- +goose StatementBegin
create trigger case_fields_inserted after insert on cases when new.indexed <> '' begin
    insert into case_fields (tenant, case_id, type, field, value, level, created_at)
        select new.tenant, new.id, new.type, value ->> 0, value ->> 1, value ->> 2, new.created_at
        from json_each(new.indexed);
end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger case_fields_updated after update of indexed, type on cases
    when new.indexed <> old.indexed or new.type <> old.type and new.indexed <> '' begin
    delete from case_fields where tenant = old.tenant and case_id = old.id;
    insert into case_fields (tenant, case_id, type, field, value, level, created_at)
        select new.tenant, new.id, new.type, value ->> 0, value ->> 1, value ->> 2, new.created_at
        from json_each(case when new.indexed = '' then '[]' else new.indexed end);
end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger case_fields_deleted after delete on cases when old.indexed <> '' begin
    delete from case_fields where tenant = old.tenant and case_id = old.id;
end;
-- +goose StatementEnd
