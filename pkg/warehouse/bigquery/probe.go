package bigquery

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"time"

	rest "cloud.google.com/go/bigquery"
	"google.golang.org/api/googleapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Permission is a permission that the gateway needs, and whether it has it.
type Permission struct {
	Name string // bigquery.tables.create
	For  string // what the gateway does with it
	Role string // the least role that has it, and on what to grant it
	Err  error  // nil: it is there
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

// errUntried is the error of what needs something else first.
var errUntried = errors.New("not tried, for want of one above")

// Probe tries each permission that the gateway needs, on a table of its own that
// it deletes. An error says why BigQuery cannot be asked, and the list is what was
// tried before it.
func (s *Store) Probe(ctx context.Context) ([]Permission, error) {
	release, err := s.hold(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	p := &probe{Store: s, table: &table{
		name: fmt.Sprintf("sparrow_check_%08x", rand.Uint32()), description: "Made by a check of permissions; it may be deleted.",
		columns: []column{text("note", "Of a check."), instant("at", "When.")}, day: "at",
	}}
	for _, step := range [...]struct {
		name, purpose, role string
		try                 func(context.Context) error
	}{
		{"bigquery.datasets.get", "find the dataset", editorRole, p.findDataset},
		{"bigquery.datasets.create", "make the dataset at first start", makerRole, p.makeDataset},
		{"bigquery.tables.create", "make tables and views at first start", editorRole, p.makeTable},
		{"bigquery.tables.get", "look at tables", editorRole, p.lookAtTable},
		{"bigquery.tables.update", "add columns, change views", editorRole, p.changeTable},
		{"bigquery.tables.updateData", "write rows, delete old ones", editorRole, p.writeRow},
		{"bigquery.jobs.create", "run queries", jobRole, p.runQuery},
		{"bigquery.tables.getData", "read rows", editorRole, p.readRows},
		{"bigquery.tables.delete", "delete the table of this check", editorRole, p.deleteTable},
	} {
		err := p.try(ctx, step.try)
		switch {
		case err == errNothing:
			continue
		case unasked(err):
			if failed, found := errors.AsType[*url.Error](err); found {
				err = failed.Err
			}
			return p.list, fmt.Errorf("BigQuery cannot be asked: %w", err)
		}
		p.list = append(p.list, Permission{Name: step.name, For: step.purpose, Role: step.role, Err: err})
	}
	return p.list, ctx.Err()
}

// errNothing says that there is nothing to try.
var errNothing = errors.New("nothing to try")

// try bounds a step: the REST client asks a BigQuery that is away again and again.
func (p *probe) try(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := p.bounded(ctx)
	defer cancel()
	err := step(ctx)
	if err == errNothing || errors.Is(err, errUntried) {
		return err
	}
	if err = judged(err); errors.Is(err, ErrPermission) {
		return fmt.Errorf("%w: %s", ErrPermission, said(err)) // which role to grant is known better here
	}
	return err
}

// said is what BigQuery answered, in its own words.
func said(err error) string {
	if answer, found := errors.AsType[*googleapi.Error](err); found {
		return answer.Message
	}
	var told interface{ GRPCStatus() *status.Status }
	if errors.As(err, &told) {
		return told.GRPCStatus().Message()
	}
	return err.Error()
}

// unasked tells errors of credentials and networks from answers.
func unasked(err error) bool {
	if err == nil || err == errNothing || errors.Is(err, errUntried) || errors.Is(err, ErrPermission) {
		return false
	}
	switch kind(err) {
	case codes.Unauthenticated, codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Unknown:
		return true
	}
	return false
}

// probe is a run of Probe.
type probe struct {
	*Store
	table   *table
	list    []Permission
	missing bool // the dataset
	made    bool // the table
	queries bool // run
}

func (p *probe) findDataset(ctx context.Context) error {
	_, err := p.dataset().Metadata(ctx)
	if kind(err) == codes.NotFound {
		p.missing = true
		return nil
	}
	return err
}

func (p *probe) makeDataset(ctx context.Context) error {
	if !p.missing {
		return errNothing
	}
	return p.prepareDataset(ctx)
}

func (p *probe) makeTable(ctx context.Context) error {
	err := p.dataset().Table(p.table.name).Create(ctx, p.metadata(p.table))
	p.made = err == nil
	return err
}

func (p *probe) lookAtTable(ctx context.Context) error {
	if !p.made {
		return errUntried
	}
	_, err := p.dataset().Table(p.table.name).Metadata(ctx)
	return err
}

func (p *probe) changeTable(ctx context.Context) error {
	if !p.made {
		return errUntried
	}
	_, err := p.dataset().Table(p.table.name).Update(ctx, rest.TableMetadataToUpdate{Description: p.table.description + " Changed."}, "")
	return err
}

func (p *probe) writeRow(ctx context.Context) error {
	if !p.made {
		return errUntried
	}
	st, err := p.makeStream(ctx, p.table)
	if err != nil {
		return err
	}
	defer st.close()
	row := newEncoder(32).text("check").instant(time.Now()).row
	_, err = st.append(ctx, 0, 1, func(int) ([]byte, error) { return row, nil })
	return err
}

func (p *probe) runQuery(ctx context.Context) error {
	q := p.rest.Query("select 1")
	q.Location = p.config.Location
	_, err := q.Read(ctx)
	p.queries = err == nil
	return err
}

func (p *probe) readRows(ctx context.Context) error {
	if !p.made || !p.queries {
		return errUntried
	}
	_, err := p.read(ctx, "select count(*) from "+p.named(p.table.name), nil)
	return err
}

func (p *probe) deleteTable(ctx context.Context) error {
	if !p.made {
		return errUntried
	}
	return p.dataset().Table(p.table.name).Delete(ctx)
}
