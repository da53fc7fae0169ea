package bigquery

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	rest "cloud.google.com/go/bigquery"
	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
)

// commitLog is the one stream that positions_log is written through: a commit of
// a version is at the offset that is its version less the base. Which stream it
// is stands in the table's description, for that is changed by one session at a
// time: a change names the version that it was made from.
type commitLog struct {
	stream string // its name's last part; "" when there is none yet
	base   int64
	etag   string // of the table
}

var describedLog = regexp.MustCompile(`Written through ([^\s@]+)@([0-9]+)\.`)

func parseLog(there *rest.TableMetadata) commitLog {
	l := commitLog{etag: there.ETag}
	if found := describedLog.FindStringSubmatch(there.Description); found != nil {
		if base, err := strconv.ParseInt(found[2], 10, 64); err == nil {
			l.stream, l.base = found[1], base
		}
	}
	return l
}

func (l commitLog) description() string {
	return fmt.Sprintf("%s Written through %s@%d.", positionsTable.description, l.stream, l.base)
}

// openLog connects to the log behind its newest commit, which it returns. A log
// that takes no rows any more is replaced.
func (s *Store) openLog(ctx context.Context, ss *session) (known *state, err error) {
	there, err := s.dataset().Table(positionsTable.name).Metadata(ctx)
	if err != nil {
		return nil, fmt.Errorf("find log of commits: %w", judged(err))
	}
	l := parseLog(there)
	name := s.path(positionsTable) + "/streams/" + l.stream
	lives := false
	if l.stream != "" && name != s.ended {
		_, err := s.control.GetWriteStream(ctx, &storagepb.GetWriteStreamRequest{Name: name})
		if err != nil && !gone(err) {
			return nil, fmt.Errorf("find stream of %s: %w", positionsTable.name, judged(err))
		}
		lives = err == nil
	}
	if l.stream != "" && !lives {
		// From here on the commits that are there are all that will be.
		_, err := s.control.FinalizeWriteStream(ctx, &storagepb.FinalizeWriteStreamRequest{Name: name})
		if err != nil && !gone(err) {
			return nil, fmt.Errorf("finalize stream of %s: %w", positionsTable.name, judged(err))
		}
	}
	if known, err = s.newest(ctx); err != nil {
		return nil, err
	}
	if !lives {
		ss.commits, err = s.replaceLog(ctx, l.etag, known.Version+1)
		return known, err
	}
	ss.commits, err = s.openStream(ctx, positionsTable, name, known.Version+1-l.base)
	return known, err
}

// replaceLog makes a new stream and notes it in the table's description, unless
// another session has done so meanwhile.
func (s *Store) replaceLog(ctx context.Context, etag string, base int64) (*stream, error) {
	made, err := s.makeStream(ctx, positionsTable)
	if err != nil {
		return nil, err
	}
	l := commitLog{stream: made.name[len(s.path(positionsTable)+"/streams/"):], base: base}
	_, err = s.dataset().Table(positionsTable.name).Update(ctx, rest.TableMetadataToUpdate{Description: l.description()}, etag)
	if err != nil {
		made.close()
		return nil, fmt.Errorf("note stream of %s: %w", positionsTable.name, judged(err))
	}
	return made, nil
}

// newest is the newest commit there is.
func (s *Store) newest(ctx context.Context) (*state, error) {
	rows, err := s.read(ctx, "select version, state from "+s.named(positionsTable.name)+" order by version desc limit 1", nil)
	if err != nil {
		return nil, fmt.Errorf("read newest commit: %w", err)
	}
	if len(rows) == 0 {
		if s.known != nil {
			return s.known, nil // the table was dropped under us
		}
		return s.recovered(ctx)
	}
	version, _ := rows[0][0].(int64)
	encoded, _ := rows[0][1].(string)
	found, err := parseState(version, encoded)
	if err != nil {
		return nil, err
	}
	if s.known != nil && s.known.Version > found.Version {
		return s.known, nil
	}
	return found, nil
}
