package observe

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Store counts the work of the database.
type Store struct {
	transactions *prometheus.CounterVec
	duration     *prometheus.HistogramVec
	batch        prometheus.Observer
	errors       *prometheus.CounterVec
}

// failures are the kinds of errors that the database causes; a missing row is none.
var failures = []string{"unavailable", "internal"}

func newStore(r prometheus.Registerer) *Store {
	s := &Store{
		transactions: counter(r, "store_transactions_total",
			"Transactions, by result: committed or failed, refusals included.", "result"),
		duration: histogram(r, "store_transaction_duration_seconds",
			"How long transactions took, with their wait for others, by result.", short, "result"),
		batch: histogram(r, "store_commit_batch_size",
			"Transactions that shared one commit. On PostgreSQL each has its own.", pieces).WithLabelValues(),
		errors: counter(r, "store_errors_total",
			"Statements and transactions that failed for the database's own reasons, by kind.", "kind"),
	}
	known(s.transactions, []string{"committed", "failed"})
	known(s.errors, failures)
	return s
}

// Transaction records the end of a transaction.
func (s *Store) Transaction(committed bool, took time.Duration) {
	if s == nil {
		return
	}
	result := "failed"
	if committed {
		result = "committed"
	}
	s.transactions.WithLabelValues(result).Inc()
	s.duration.WithLabelValues(result).Observe(took.Seconds())
}

// Commit records how many transactions shared a commit.
func (s *Store) Commit(transactions int) {
	if s != nil {
		s.batch.Observe(float64(transactions))
	}
}

// Failed counts an error of the database: unavailable or internal.
func (s *Store) Failed(kind string) {
	if s != nil {
		s.errors.WithLabelValues(oneOf(kind, failures)).Inc()
	}
}
