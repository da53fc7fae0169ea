package bigquery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"time"

	rest "cloud.google.com/go/bigquery"
	"google.golang.org/api/googleapi"
	"google.golang.org/grpc/codes"
)

// Permission is a permission that the gateway needs, and whether it has it.
type Permission struct {
	Name string // bigquery.tables.create
	For  string // what the gateway uses it for
	Role string // the least role that has it, and on what to grant it
	Err  error  // nil if it is granted
}

// Missing reports whether BigQuery denies it.
func (p Permission) Missing() bool { return errors.Is(p.Err, ErrPermission) }

// Untried reports whether something that it needs is missing itself.
func (p Permission) Untried() bool { return errors.Is(p.Err, errUntried) }

// The roles that Permission names.
const (
	editorRole = "roles/bigquery.dataEditor on the dataset"
	jobRole    = "roles/bigquery.jobUser on the project"
	makerRole  = "roles/bigquery.user on the project, or make the dataset yourself"
)

// errUntried is the error of a step that needs an earlier one, which failed.
var errUntried = errors.New("not tried, for want of one above")

// Probe tries each permission that the gateway needs, on a table of its own that
// it deletes. An error says why BigQuery cannot be asked; the list then has what
// was tried before it.
func (s *Store) Probe(ctx context.Context) ([]Permission, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	t := &table{
		name: fmt.Sprintf("sparrow_check_%08x", rand.Uint32()), description: "Made by a check of permissions; it may be deleted.",
		columns: []column{text("note", "Of a check."), instant("at", "When.")}, day: "at",
	}
	p, handle := &probe{client: s.client}, s.client.table(t)
	missing := false
	p.step(ctx, "bigquery.datasets.get", "find the dataset", editorRole, true, func(ctx context.Context) error {
		_, err := p.dataset().Metadata(ctx)
		if missing = kind(err) == codes.NotFound; missing {
			return nil
		}
		return err
	})
	if missing {
		p.step(ctx, "bigquery.datasets.create", "make the dataset at first start", makerRole, true, p.createDataset)
	}
	made := p.step(ctx, "bigquery.tables.create", "make tables and views at first start", editorRole, true, func(ctx context.Context) error {
		return handle.Create(ctx, t.metadata(0))
	})
	p.step(ctx, "bigquery.tables.get", "look at tables", editorRole, made, func(ctx context.Context) error {
		_, err := handle.Metadata(ctx)
		return err
	})
	p.step(ctx, "bigquery.tables.update", "add columns, change views", editorRole, made, func(ctx context.Context) error {
		_, err := handle.Update(ctx, rest.TableMetadataToUpdate{Description: t.description + " Changed."}, "")
		return err
	})
	p.step(ctx, "bigquery.tables.updateData", "write rows, delete old ones", editorRole, made, func(ctx context.Context) error {
		return p.writeRow(ctx, t)
	})
	queries := p.step(ctx, "bigquery.jobs.create", "run queries", jobRole, true, func(ctx context.Context) error {
		_, err := p.read(ctx, "select 1", nil)
		return err
	})
	p.step(ctx, "bigquery.tables.getData", "read rows", editorRole, made && queries, func(ctx context.Context) error {
		_, err := p.read(ctx, "select count(*) from "+p.named(t), nil)
		return err
	})
	p.step(ctx, "bigquery.tables.delete", "delete the table of this check", editorRole, made, handle.Delete)
	return p.tried, cmp.Or(p.err, ctx.Err())
}

// probe is one run of Probe.
type probe struct {
	*client
	tried []Permission
	err   error // why BigQuery cannot be asked; once set, nothing is tried any more
}

// step tries one permission within the time of one call, if that is possible, and
// reports whether it is granted.
func (p *probe) step(ctx context.Context, name, purpose, role string, possible bool, try func(context.Context) error) bool {
	if p.err != nil {
		return false
	}
	err := errUntried
	if possible {
		ctx, cancel := p.bounded(ctx)
		defer cancel()
		err = judged(try(ctx))
	}
	switch {
	case errors.Is(err, ErrPermission):
		err = fmt.Errorf("%w: %s", ErrPermission, said(err)) // without judged's advice: Permission.Role is exact
	case possible && noAnswer(err):
		if failed, found := errors.AsType[*url.Error](err); found {
			err = failed.Err
		}
		p.err = fmt.Errorf("BigQuery cannot be asked: %w", err)
		return false
	}
	p.tried = append(p.tried, Permission{Name: name, For: purpose, Role: role, Err: err})
	return err == nil
}

func (p *probe) writeRow(ctx context.Context, t *table) error {
	st, err := p.createStream(ctx, t)
	if err != nil {
		return err
	}
	defer st.close()
	row := newEncoder(32).text("check").instant(time.Now()).row
	_, err = st.append(ctx, 0, 1, func(int) []byte { return row })
	return err
}

// said is what BigQuery answered, in its own words.
func said(err error) string {
	if answer, found := errors.AsType[*googleapi.Error](err); found {
		return answer.Message
	}
	if answer := grpcStatus(err); answer != nil {
		return answer.Message()
	}
	return err.Error()
}

// noAnswer reports whether an error comes from credentials or the network, not
// from BigQuery's answer.
func noAnswer(err error) bool {
	switch kind(err) {
	case codes.Unauthenticated, codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Unknown:
		return err != nil
	}
	return false
}
