package bigquery

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// Options are what Open needs beside the Config.
type Options struct {
	// Tokens gives the access tokens; needed unless Config.Insecure is set.
	Tokens oauth2.TokenSource
	// Settle is how long after its end a day stays open in the reconciliation.
	Settle time.Duration
	// Retention is how long partitions are kept; 0 keeps them for good.
	Retention time.Duration
	// RootCAs are the authorities to trust for endpoints that are not Google's;
	// nil for the system's.
	RootCAs *x509.CertPool
	// Logger gets a line for each writer that is opened; nil for none.
	Logger *slog.Logger
}

// Store is an open BigQuery dataset as a warehouse. It may be used by several
// goroutines; methods that write run one at a time.
type Store struct {
	client  *client
	tokens  oauth2.TokenSource
	queries chan struct{} // one slot for each user's query that runs
	writing chan struct{} // holds one token while nobody writes
	closing sync.Once
	closed  chan struct{}

	// The holder of the token owns what follows.
	schema   *schema
	commits  *commitLog
	defaults *defaultStreams
	writer   *writer // nil until the next load opens one
	log      *slog.Logger
}

var _ warehouse.Warehouse = (*Store)(nil)

// maxQueries is how many users' queries run at once; others wait.
const maxQueries = 4

// Open connects to the dataset. It makes no call: a BigQuery that does not answer
// shows in the first method that needs it. The caller closes the store.
func Open(ctx context.Context, config Config, options Options) (*Store, error) {
	if err := config.Check(); err != nil {
		return nil, fault.Permanent(err)
	}
	if options.Tokens == nil && !config.Insecure {
		return nil, fault.Permanent(errors.New("open warehouse: credentials are needed"))
	}
	c, err := newClient(ctx, config, options)
	if err != nil {
		return nil, fmt.Errorf("open warehouse: %w", err)
	}
	s := &Store{
		client: c, tokens: options.Tokens, queries: make(chan struct{}, maxQueries), writing: make(chan struct{}, 1), closed: make(chan struct{}),
		schema:  &schema{client: c, settle: options.Settle, retention: options.Retention},
		commits: &commitLog{client: c}, defaults: &defaultStreams{client: c, open: map[*table]*stream{}}, log: options.Logger,
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.writing <- struct{}{}
	return s, nil
}

// Close waits for the load under way. It finalizes no stream: the next process
// does that itself, as it must after a crash.
func (s *Store) Close() (err error) {
	s.closing.Do(func() {
		close(s.closed)
		<-s.writing
		s.closeStreams()
		if err = s.client.close(); err != nil {
			err = fmt.Errorf("close warehouse: %w", err)
		}
	})
	return err
}

var errClosed = fault.Permanent(errors.New("the warehouse is closed"))

// write does work while nobody else writes, and says what failed.
func (s *Store) write(ctx context.Context, what string, work func() error) error {
	unlock, err := s.lock(ctx)
	if err == nil {
		defer unlock()
		err = work()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// lock waits until nobody else writes.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case <-s.writing:
		return func() { s.writing <- struct{}{} }, nil
	case <-s.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Prepare creates the dataset, tables, columns and views that are missing, and
// sets the expiry of partitions.
func (s *Store) Prepare(ctx context.Context) error {
	return s.write(ctx, "prepare warehouse", func() error { return s.schema.prepare(ctx) })
}

// Load stores the batch and its stream positions, each row once (see the
// package's documentation).
func (s *Store) Load(ctx context.Context, batch *warehouse.Batch) error {
	err := s.write(ctx, "load batch", func() error { return s.load(ctx, batch) })
	if rows, refused := errors.AsType[*warehouse.RowsError](err); refused {
		return rows
	}
	return err
}

func (s *Store) load(ctx context.Context, batch *warehouse.Batch) error {
	if refused := oversized(batch, s.client.config.MaxRow); refused != nil {
		return refused
	}
	ctx, cancel := context.WithTimeout(ctx, loadTimeout(batch, s.client.config.Timeout))
	defer cancel()
	if err := s.openWriter(ctx); err != nil {
		return err
	}
	err := s.writer.load(ctx, batch)
	// After a RowsError the writer goes on: it knows what is stored.
	if _, refused := errors.AsType[*warehouse.RowsError](err); err != nil && !refused {
		s.failed(err)
	}
	return err
}

// openWriter opens a writer unless there is one.
func (s *Store) openWriter(ctx context.Context) (err error) {
	if s.writer != nil {
		return nil
	}
	if err := s.schema.ensure(ctx); err != nil {
		return err
	}
	if s.writer, err = openWriter(ctx, s.client, s.commits, s.defaults, s.schema.sumsMade.Load(), s.log); err != nil {
		if missing(err) {
			s.schema.prepared = false
		}
		return fmt.Errorf("open writer: %w", err)
	}
	s.schema.sumsMade.Store(false)
	s.log.Info("bigquery writer opened", "commit", s.writer.last.Version)
	return nil
}

// failed closes the writer after an error that leaves open which rows are
// stored: the next writer finds out. It also acts on errors about tables and
// tokens.
func (s *Store) failed(err error) {
	s.closeStreams()
	if missing(err) || misfit(err) {
		s.schema.prepared = false
	}
	if renewer, ok := s.tokens.(interface{ Renew() }); ok && errors.Is(err, ErrUnauthenticated) {
		renewer.Renew()
	}
}

func (s *Store) closeStreams() {
	if s.writer != nil {
		s.writer.close()
		s.writer = nil
	}
	s.defaults.close()
}

// Positions returns how far each stream of each epoch is loaded.
func (s *Store) Positions(ctx context.Context) (list []warehouse.StreamPosition, err error) {
	err = s.write(ctx, "read positions", func() (err error) {
		var last *commit
		if s.writer != nil {
			last = s.writer.last
		} else if last, err = s.commits.newest(ctx); err != nil {
			return err
		}
		list = last.positions()
		return nil
	})
	return list, err
}
