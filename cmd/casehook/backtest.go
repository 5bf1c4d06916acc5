package main

import (
	"context"
	"os"
	"time"

	"github.com/casehook/casehook/internal/dev"
)

type backtestCmd struct {
	Type       string `placeholder:"KEY" help:"The key of the case type. The only one with the transition if not set."`
	Transition string `required:"" placeholder:"KEY" help:"The transition whose submissions are asked about."`
	Callback   webURL `placeholder:"URL" xor:"judge" required:"" help:"URL of the callback that the server asks."`
	Definition string `type:"path" placeholder:"FILE" xor:"judge" required:"" help:"A definition whose schema, conditions and callbacks judge, in place of --callback."`
	Rule       string `placeholder:"RULE" xor:"judge" required:"" help:"A rule of the transition that judges, in place of --callback: '{refuse: data.amount > 1000, message: Too much.}'."`
	Secret     string `placeholder:"WHSEC" env:"CASEHOOK_BACKTEST_SECRET" help:"Signs the questions to --callback: whsec_... A random one if not set."`
	Since      moment `placeholder:"WHEN" help:"Ask about submissions since then: 30d ago, or 2026-01-31T08:00:00Z. All that are kept if not set."`
	Until      moment `placeholder:"WHEN" help:"Ask about submissions before then."`
	JSON       bool   `name:"json" help:"Print one JSON object a line: each submission that ends otherwise, and last the sum."`
	remote
}

// Help is shown below the command's summary.
func (backtestCmd) Help() string {
	return `The server asks about submissions of the past, refused ones included, as long as it keeps questions
(--keep-attempts). Nothing is saved, and nobody is told; callbacks are asked with the header dry-run: true. Printed
is each submission that would be refused or changed, or would end otherwise than it did, with the differences. The
command exits with 1 if one would be refused, was not answered, or ends otherwise than it did. The progress is
printed on standard error.

  casehook backtest --transition approve --callback https://next.example.com/approve --since 30d
  casehook backtest --type kyc --transition approve --definition kyc.yaml --since 30d
  casehook backtest --transition approve --rule '{refuse: data.risk > 70, message: Too risky.}'`
}

func (c *backtestCmd) Run(ctx context.Context, s stdio) error {
	var definition []byte
	if c.Definition != "" {
		var err error
		if definition, err = os.ReadFile(c.Definition); err != nil {
			return err
		}
	}
	now := time.Now()
	agrees, err := dev.Backtest(ctx, c.client(), dev.BacktestOptions{
		Output:     dev.Output{Out: s.out, JSON: c.JSON},
		Progress:   s.err,
		Type:       c.Type,
		Transition: c.Transition,
		Callback:   string(c.Callback),
		Secret:     c.Secret,
		Definition: string(definition),
		Rule:       c.Rule,
		Since:      c.Since.time(now),
		Until:      c.Until.time(now),
	})
	if err == nil && !agrees {
		err = errShown
	}
	return err
}
