-- +goose Up
-- Moves up to so many committed entries to their positions, in one call: the server
-- finishes it whatever becomes of the client, so that nobody waits for a process
-- that stopped. Each statement sees what was committed before it, the lock included.
-- Returns how many it moved; -1: another is at work, and it was not to wait.

-- +goose StatementBegin
create function journal_sequence(most bigint, waits boolean) returns bigint language plpgsql as $$
declare
    moved bigint;
begin
    if waits then
        perform pg_advisory_xact_lock(4707280041);
    elsif not pg_try_advisory_xact_lock(4707280041) then
        return -1;
    end if;
    with taken as (
        delete from journal_pending where entry in (select entry from journal_pending order by entry limit most) returning entry
    )
    insert into journal_seq (seq, entry)
        select h.seq + row_number() over (order by t.entry), t.entry from taken t cross join journal_head h;
    get diagnostics moved = row_count;
    if moved > 0 then
        update journal_head set seq = seq + moved;
    end if;
    return moved;
end
$$;
-- +goose StatementEnd

-- Removes the entries up to a position that no cursor and no lane needs, unless
-- somebody is about to begin somewhere in the journal. Returns how many.

-- +goose StatementBegin
create function journal_purge(up_to bigint) returns bigint language plpgsql as $$
declare
    needed bigint;
    purged bigint;
begin
    if not pg_try_advisory_xact_lock(4707280042) then
        return 0;
    end if;
    select least(up_to, min(position)) into needed from (
        select position from cursors union all select seq - 1 from parked union all select max(seq) - 1 from journal_seq
    ) as needs;
    delete from journal where id in (select entry from journal_seq where seq <= needed);
    delete from journal_seq where seq <= needed;
    get diagnostics purged = row_count;
    return purged;
end
$$;
-- +goose StatementEnd
