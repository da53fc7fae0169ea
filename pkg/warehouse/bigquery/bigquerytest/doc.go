// Package bigquerytest is a strict BigQuery for tests: a server on loopback that
// speaks the Storage Write API, the part of the REST API by which tables are made,
// and the token endpoint of service accounts. It is as strict as the service is
// documented to be, can be ordered to fail in the ways the service fails, and
// keeps a record of its own of every row that was committed. What needs an SQL
// engine (views, users' queries, DML) belongs to an emulator.
//
//	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
//	server.Order(bigquerytest.Fault{Kind: bigquerytest.CloseAfterCommit, Method: bigquerytest.AppendRows, Table: "raw", Calls: 1})
//	... load through a client of server.GRPCAddress() and server.URL() ...
//	for row, err := range server.Store().Rows("sparrow", "raw") { ... }
//
// A Store outlives its servers: close one and start another on the same store,
// at the same addresses or others, and all that was committed is there.
//
// # What it holds to, and after which source
//
// The Storage Write API (comments of google/cloud/bigquery/storage/v1/storage.proto,
// stream.proto and protobuf.proto; the documentation's pages "Introduction to the
// BigQuery Storage Write API", "Best practices", "Supported data types", "Quotas
// and limits"; the client cloud.google.com/go/bigquery/storage/managedwriter with
// its integration tests; those of java-bigquerystorage for the texts of errors):
//
//   - The first request of a connection names stream and schema. Default streams
//     may share a connection and take a new schema at any request; an
//     application's stream ignores one until a new connection is opened.
//   - The schema is self-contained. A field without a column is refused with
//     SCHEMA_MISMATCH_EXTRA_FIELDS; so are a field of a type that its column does
//     not accept, a label that is not the column's mode, and a missing required column.
//   - Each connection is sent a change of the table once, as updated_schema.
//   - An offset is the stream's end, or ALREADY_EXISTS (OFFSET_ALREADY_EXISTS) below
//     it and OUT_OF_RANGE (OFFSET_OUT_OF_RANGE) beyond it, in the response, with the
//     connection staying open. Without an offset rows go to the end. Default
//     streams neither accept nor return offsets.
//   - A request of more than 10 MiB is INVALID_ARGUMENT, in the response.
//   - One bad row refuses its whole request: INVALID_ARGUMENT with a RowError for
//     each bad row, of which the list holds the first only.
//   - A stream that is finalized is INVALID_ARGUMENT, STREAM_FINALIZED; one that is
//     gone NOT_FOUND, STREAM_NOT_FOUND; one whose table is gone TABLE_NOT_FOUND.
//     A table that is made anew has new streams.
//   - An application's stream has one connection: the newest. An older one is
//     ABORTED with its next append.
//   - BUFFERED rows become visible by FlushRows, up to and with its offset, once;
//     PENDING ones by FinalizeWriteStream and BatchCommitWriteStreams, all or none.
//   - A silent connection is closed after ten minutes, a stream without appends is
//     gone after three days. Both can be shortened.
//   - A row for a partition more than 1825 days back or 366 days ahead is refused
//     ("Streaming data into BigQuery").
//
// REST ("BigQuery API v2": datasets, tables, jobs.query and getQueryResults; "Error messages"; "Modifying
// table schemas"): get, insert, list, patch with If-Match, delete; errors with
// their HTTP status and reason; names, modes, types, partitioning and clustering
// checked; columns may be added as NULLABLE or REPEATED and relaxed, nothing else.
// jobs.query knows, by their text, the queries by which the adapter reads back
// what it stored, and refuses everything else. It does not count: asked where the
// sums of a day differ from its rows, it says nowhere. It knows the statements that
// compact the logs, and does nothing: its rows are the record.
//
// Tokens ("Using OAuth 2.0 for Server to Server Applications"): an assertion is
// RS256 by the account's key, for this endpoint, at most an hour long, with a
// scope of BigQuery's. Every call needs a token that is good, or is
// UNAUTHENTICATED (401, authError).
//
// # Where it is stricter than the service
//
// A row with a field that its schema does not have is refused; the service
// ignores the field and loses it. A token is checked with every append of a
// connection; the service may let an open connection live on. A dropped stream,
// a finalization and a change of schema have effect at once; StaleSchema orders the delay
// of minutes that the service may need.
//
// # What it leaves out
//
// Arrow rows, default values of columns, encryption keys, customer quotas other
// than ordered ones, the text forms of TIME, DATETIME, NUMERIC, GEOGRAPHY and
// INTERVAL (taken as they are), expiry of partitions (tables.get tells it, rows
// stay).
//
// # Files
//
// A store writes a file of rows for each table; rowLog draws it.
package bigquerytest
