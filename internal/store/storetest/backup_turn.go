package storetest

import "time"

var backupTurnTests = map[string]func(*fixture){
	"nodes take turns at backups, and one that failed comes sooner": func(f *fixture) {
		ctx := f.t.Context()
		take := func(every time.Duration, want bool) {
			f.t.Helper()
			mine, err := f.store.TakeBackupTurn(ctx, every)
			if err != nil || mine != want {
				f.t.Errorf("the turn of a backup every %v was taken: %v, want %v: %v", every, mine, want, err)
			}
		}
		take(time.Hour, true)
		take(time.Hour, false)
		take(0, true)
		if err := f.store.RepeatBackup(ctx, time.Hour, time.Minute); err != nil {
			f.t.Fatal(err)
		}
		take(time.Hour, false)
		if err := f.store.RepeatBackup(ctx, time.Hour, 0); err != nil {
			f.t.Fatal(err)
		}
		take(time.Hour, true)
	},
}
