package bigquerytest

// Method names a call that can be counted and made to fail.
type Method string

// The methods of the Storage Write API, of the REST API and of the token
// endpoint.
const (
	CreateWriteStream       Method = "CreateWriteStream"
	AppendRows              Method = "AppendRows" // each request on a connection is a call
	GetWriteStream          Method = "GetWriteStream"
	FinalizeWriteStream     Method = "FinalizeWriteStream"
	FlushRows               Method = "FlushRows"
	BatchCommitWriteStreams Method = "BatchCommitWriteStreams"

	DatasetsGet    Method = "datasets.get"
	DatasetsInsert Method = "datasets.insert"
	TablesGet      Method = "tables.get"
	TablesInsert   Method = "tables.insert"
	TablesPatch    Method = "tables.patch"
	TablesList     Method = "tables.list"
	TablesDelete   Method = "tables.delete"
	JobsQuery      Method = "jobs.query"
	JobsResults    Method = "jobs.getQueryResults"

	Token Method = "token"
)

// permission is the IAM permission that a method needs, as the reference of
// BigQuery's roles and permissions names it.
func (m Method) permission() string {
	switch m {
	case CreateWriteStream, AppendRows, FinalizeWriteStream, FlushRows, BatchCommitWriteStreams:
		return "bigquery.tables.updateData"
	case GetWriteStream, TablesGet:
		return "bigquery.tables.get"
	case DatasetsGet:
		return "bigquery.datasets.get"
	case DatasetsInsert:
		return "bigquery.datasets.create"
	case TablesInsert:
		return "bigquery.tables.create"
	case TablesPatch:
		return "bigquery.tables.update"
	case TablesList:
		return "bigquery.tables.list"
	case TablesDelete:
		return "bigquery.tables.delete"
	default:
		return "bigquery.jobs.create"
	}
}
