package bigquery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"golang.org/x/sync/errgroup"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// session is the time in which one process appends, from one doubt about what
// is stored to the next.
type session struct {
	state   *state  // the newest commit
	commits *stream // of positions_log
	tables  map[*table]*counter
}

// counter is a counted table's stream, and how many of the table's rows are
// ahead of the mark.
type counter struct {
	*stream
	ahead int64
}

// need begins a session unless there is one. The caller holds the token.
func (s *Store) need(ctx context.Context) (*session, error) {
	if s.session != nil {
		return s.session, nil
	}
	if !s.prepared {
		if err := s.prepare(ctx); err != nil {
			return nil, err
		}
	}
	begun, err := s.begin(ctx)
	if err != nil {
		if missing(err) {
			s.prepared = false
		}
		return nil, fmt.Errorf("begin session: %w", err)
	}
	s.session = begun
	s.log.Info("bigquery session began", "commit", begun.state.Version)
	return begun, nil
}

// begin ends the session before, whoever's it was, and starts the next.
func (s *Store) begin(ctx context.Context) (_ *session, err error) {
	begun := &session{tables: map[*table]*counter{}}
	known, err := s.openLog(ctx, begun)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			begun.close()
		}
	}()
	var mu sync.Mutex
	group, within := errgroup.WithContext(ctx)
	for _, t := range counted {
		group.Go(func() error {
			ahead, err := s.ahead(within, t, known)
			if err != nil {
				return err
			}
			made, err := s.makeStream(within, t)
			if err != nil {
				return err
			}
			mu.Lock()
			begun.tables[t] = &counter{made, ahead}
			mu.Unlock()
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	begun.state = known
	return begun, s.commit(ctx, begun, known)
}

func (ss *session) close() {
	ss.commits.close()
	for _, c := range ss.tables {
		c.close()
	}
}

// dropSession ends the session: what is stored is in doubt.
func (s *Store) dropSession() {
	if s.session != nil {
		s.session.close()
		s.session = nil
	}
}

func (s *Store) dropStreams() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t, st := range s.streams {
		st.close()
		delete(s.streams, t)
	}
}

// ahead finalizes the stream that a counted table was written through, and
// returns how many rows of the table are ahead of the mark.
func (s *Store) ahead(ctx context.Context, t *table, known *state) (int64, error) {
	was := known.Tables[t.name]
	if was.Stream != "" {
		ended, err := s.control.FinalizeWriteStream(ctx, &storagepb.FinalizeWriteStreamRequest{Name: was.Stream})
		if err != nil && !gone(err) {
			return 0, fmt.Errorf("finalize stream of %s: %w", t.name, judged(err))
		}
		beyond := ended.GetRowCount() - was.Rows
		if err == nil && beyond >= 0 && (ended.GetRowCount() > 0 || !s.config.Insecure) { // to an emulator each stream is empty
			return was.Ahead + beyond, nil
		}
	}
	n, err := s.countAhead(ctx, t, known)
	if err != nil {
		return 0, fmt.Errorf("count rows of %s after the mark: %w", t.name, judged(err))
	}
	return n, nil
}

// commit appends the state as the next row of the log. If another session was
// faster, its row is there, and the append fails.
func (s *Store) commit(ctx context.Context, ss *session, st *state) error {
	next := *st
	next.Version++
	next.Tables = map[string]streamedTable{}
	maps.Copy(next.Tables, st.Tables)
	for t, c := range ss.tables {
		next.Tables[t.name] = streamedTable{Stream: c.name, Rows: c.offset, Ahead: c.ahead}
	}
	encoded, err := json.Marshal(&next)
	if err != nil {
		return fmt.Errorf("encode commit: %w", err)
	}
	row := newEncoder(len(encoded) + 32).number(next.Version).text(string(encoded)).instant(time.Now()).row
	if _, err := ss.commits.append(ctx, 0, 1, func(int) ([]byte, error) { return row, nil }); err != nil {
		if gone(err) {
			s.ended = ss.commits.name
		}
		return fmt.Errorf("commit: %w", err)
	}
	ss.state, s.known = &next, &next
	return nil
}

// doubt drops the session after an error that leaves open what is stored, and
// looks after what the error says of tables and tokens.
func (s *Store) doubt(err error) {
	s.dropSession()
	s.dropStreams()
	if missing(err) || misfit(err) {
		s.prepared = false
	}
	if renewer, ok := s.tokens.(interface{ Renew() }); ok && errors.Is(err, ErrUnauthenticated) {
		renewer.Renew()
	}
}

// Marks returns how far each stream of each epoch is loaded.
func (s *Store) Positions(ctx context.Context) ([]warehouse.StreamPosition, error) {
	release, err := s.hold(ctx)
	if err != nil {
		return nil, fmt.Errorf("read marks: %w", err)
	}
	defer release()
	if s.session != nil {
		return s.session.state.marks(), nil
	}
	known, err := s.newest(ctx)
	if err != nil {
		return nil, fmt.Errorf("read marks: %w", err)
	}
	return known.marks(), nil
}
