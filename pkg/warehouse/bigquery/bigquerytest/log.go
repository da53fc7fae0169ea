package bigquerytest

import "iter"

// Rows are the rows of a table in the order in which they were committed, those
// that were committed before the call. It is the server's own record, for
// accounts that do not rely on the client's. A table that was dropped has none;
// one that keeps a single column has only that.
func (s *Store) Rows(datasetID, tableID string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		err := s.each(datasetID, tableID, func(t *table, e *entry) (bool, error) {
			for i, raw := range e.rows {
				row := Row{Stream: e.stream, Offset: -1, Committed: e.at}
				if e.offset >= 0 {
					row.Offset = e.offset + int64(i)
				}
				if t.log.keep != "" {
					row.Values = map[string]any{t.log.keep: string(raw)}
				} else {
					values, err := e.plan.values(raw, nil)
					if err != nil {
						return false, err
					}
					row.Values = values
				}
				if !yield(row, nil) {
					return false, nil
				}
			}
			return true, nil
		})
		if err != nil {
			yield(Row{}, err)
		}
	}
}

// Texts are the values of one text column of a table, as Rows has them; "" for
// NULL. It is ten times as fast.
func (s *Store) Texts(datasetID, tableID, column string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		err := s.each(datasetID, tableID, func(t *table, e *entry) (bool, error) {
			for _, raw := range e.rows {
				text := string(raw)
				if t.log.keep == "" {
					var err error
					if text, _, err = e.plan.text(raw, column); err != nil {
						return false, err
					}
				}
				if !yield(text, nil) {
					return false, nil
				}
			}
			return true, nil
		})
		if err != nil {
			yield("", err)
		}
	}
}

func (s *Store) each(datasetID, tableID string, each func(t *table, e *entry) (bool, error)) error {
	t, found := s.table(datasetID, tableID)
	if !found {
		return nil
	}
	return t.log.read(func(e *entry) (bool, error) { return each(t, e) })
}

// Count is how many rows of a table were committed, and their bytes as they were
// sent.
func (s *Store) Count(datasetID, tableID string) (rows, bytes int64) {
	t, found := s.table(datasetID, tableID)
	if !found {
		return 0, 0
	}
	return t.log.counts()
}

// DropTable removes a table with its rows and streams, as somebody may in the
// console. It reports whether there was one.
func (s *Store) DropTable(datasetID, tableID string) bool { return s.dropTable(datasetID, tableID) }

// DropColumn removes a column, as ALTER TABLE does. It reports whether there was
// one.
func (s *Store) DropColumn(datasetID, tableID, name string) bool {
	t, found := s.table(datasetID, tableID)
	return found && t.dropColumn(name)
}

// DropStream removes a stream that an application made, as the service does with
// idle ones. It reports whether there was one.
func (s *Store) DropStream(name string) bool { return s.dropStream(name) }
