-- +goose Up
-- The values of fields that definitions mark as indexed: cases have theirs as JSON, and triggers keep a row for each.
-- level is that of the clearance that sees the value. case_field_tasks has the types whose older cases are yet to be
-- indexed: how far that has come, and the fields by which lists have to wait for it.

alter table cases add column indexed text not null default '';
create table case_fields (
    tenant     bigint not null,
    case_id    bigint not null,
    type       text not null,
    field      text not null,
    value      text collate "C" not null,
    level      bigint not null,
    created_at bigint not null,
    primary key (tenant, case_id, field)
);
create index case_fields_by_value on case_fields (tenant, type, field, value, created_at, case_id);
create table case_field_tasks (
    tenant     bigint not null,
    type       text not null,
    fields     text not null,
    began_at   bigint not null,
    again      boolean not null, -- it checks the cases that other nodes wrote meanwhile
    created_at bigint not null,
    case_id    bigint not null,
    primary key (tenant, type)
);

-- +goose StatementBegin
create function case_fields_save() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' then
        delete from case_fields where tenant = old.tenant and case_id = old.id;
    end if;
    if tg_op <> 'DELETE' and new.indexed <> '' then
        insert into case_fields (tenant, case_id, type, field, value, level, created_at)
            select new.tenant, new.id, new.type, v ->> 0, v ->> 1, cast(v ->> 2 as bigint), new.created_at
            from jsonb_array_elements(cast(new.indexed as jsonb)) v;
    end if;
    return null;
end
$$;
-- +goose StatementEnd
create trigger case_fields_inserted after insert on cases
    for each row when (new.indexed <> '') execute function case_fields_save();
create trigger case_fields_updated after update of indexed, type on cases
    for each row when (new.indexed <> old.indexed or new.type <> old.type and new.indexed <> '')
    execute function case_fields_save();
create trigger case_fields_deleted after delete on cases
    for each row when (old.indexed <> '') execute function case_fields_save();
