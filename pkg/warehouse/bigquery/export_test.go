package bigquery

// WithoutDryRuns has queries run at once. The emulator runs a dry run as it does
// the query itself, and takes whatever it is for a SELECT.
func WithoutDryRuns(s *Store) { s.unquestioned = true }
