package bigquerytest

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	bq "google.golang.org/api/bigquery/v2"
)

var tableName = regexp.MustCompile(`^[\p{L}\p{M}\p{N}\p{Pc}\p{Pd}\p{Zs}]+$`)

// Bounds of BigQuery: "Quotas and limits", tables.
const (
	maxName             = 1024 // bytes of an id
	maxClustering       = 4
	maxTableDescription = 16_384
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (c *restCall) insertTable() (any, *restError) {
	var given bq.Table
	if err := json.Unmarshal(c.body, &given); err != nil || given.TableReference == nil {
		return nil, invalid("Required parameter is missing: tableReference")
	}
	id := given.TableReference.TableId
	if len(id) > maxName || !tableName.MatchString(id) {
		return nil, invalid("Invalid table ID %q.", id)
	}
	list, refused := checkTable(&given)
	if refused != nil {
		return nil, refused
	}
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	d, refused := c.dataset()
	if refused != nil {
		return nil, refused
	}
	datasetID := c.r.PathValue("dataset")
	if d.tables[id] != nil {
		return nil, restRefuse(http.StatusConflict, "duplicate", "Already Exists: Table %s:%s.%s", c.config.Project, datasetID, id)
	}
	given.TableReference.ProjectId, given.TableReference.DatasetId = c.config.Project, datasetID
	given.Location = d.resource.Location
	t, err := c.store.addTable(d, "projects/"+c.config.Project+"/datasets/"+datasetID+"/tables/"+id, &given, list, time.Now())
	if err != nil {
		return nil, restRefuse(http.StatusInternalServerError, "internalError", "%v", err)
	}
	return t.describe(), nil
}

// checkTable reads a table's columns and holds its definition to BigQuery's rules.
func checkTable(r *bq.Table) ([]column, *restError) {
	if utf8.RuneCountInString(r.Description) > maxTableDescription {
		return nil, invalid("The description is longer than %d characters.", maxTableDescription)
	}
	if r.View != nil {
		switch {
		case strings.TrimSpace(r.View.Query) == "":
			return nil, invalid("A view needs a query.")
		case r.TimePartitioning != nil || r.Clustering != nil:
			return nil, invalid("A view is neither partitioned nor clustered.")
		}
		return nil, nil
	}
	var fields []*bq.TableFieldSchema
	if r.Schema != nil {
		fields = r.Schema.Fields
	}
	list, err := columns(fields, 1)
	if err != nil {
		return nil, invalid("Invalid schema: %v.", err)
	}
	return list, checkLayout(r, list)
}

// checkLayout checks partitioning and clustering.
func checkLayout(r *bq.Table, list []column) *restError {
	if p := r.TimePartitioning; p != nil {
		c, found := find(list, p.Field)
		switch {
		case !slices.Contains([]string{"DAY", "HOUR", "MONTH", "YEAR"}, p.Type):
			return invalid("Invalid time partitioning type %q.", p.Type)
		case p.Field != "" && !found:
			return invalid("The field specified for partitioning cannot be found in the schema.")
		case p.Field != "" && c.kind != "TIMESTAMP" && c.kind != "DATE" && c.kind != "DATETIME":
			return invalid("The field specified for partitioning can only be of type TIMESTAMP, DATE or DATETIME; it is a %s.", c.kind)
		case p.Field != "" && c.repeated:
			return invalid("The field specified for partitioning cannot be repeated.")
		case p.ExpirationMs < 0:
			return invalid("The expiration of partitions cannot be negative.")
		}
	}
	if r.Clustering == nil {
		return nil
	}
	if n := len(r.Clustering.Fields); n == 0 || n > maxClustering {
		return invalid("Clustering takes 1 to %d fields, not %d.", maxClustering, n)
	}
	for _, name := range r.Clustering.Fields {
		c, found := find(list, name)
		if !found {
			return invalid("The field %s specified for clustering cannot be found in the schema.", name)
		}
		if c.repeated || slices.Contains([]string{"RECORD", "FLOAT", "BYTES", "JSON", "INTERVAL", "TIME"}, c.kind) {
			return invalid("Field %s of type %s cannot be used for clustering.", name, c.kind)
		}
	}
	return nil
}

func (c *restCall) getTable() (any, *restError) {
	t, refused := c.find()
	if refused != nil {
		return nil, refused
	}
	return t.describe(), nil
}

// find is the table of the path.
func (c *restCall) find() (*table, *restError) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	d, refused := c.dataset()
	if refused != nil {
		return nil, refused
	}
	t := d.tables[c.table]
	if t == nil {
		return nil, notFound("Not found: Table %s:%s.%s", c.config.Project, c.r.PathValue("dataset"), c.table)
	}
	return t, nil
}

func (c *restCall) deleteTable() (any, *restError) {
	if _, refused := c.find(); refused != nil {
		return nil, refused
	}
	c.store.dropTable(c.r.PathValue("dataset"), c.table)
	return nil, nil
}

// describe is the table as the REST API describes it.
func (t *table) describe() *bq.Table {
	rows, bytes := t.log.counts()
	t.mu.Lock()
	defer t.mu.Unlock()
	r := *t.resource
	ref := r.TableReference
	r.Kind, r.Id, r.Etag, r.Type = "bigquery#table", ref.ProjectId+":"+ref.DatasetId+"."+ref.TableId, strconv.Itoa(t.version), "TABLE"
	r.CreationTime, r.LastModifiedTime = t.created.UnixMilli(), uint64(t.created.UnixMilli())
	if r.View != nil {
		r.Type = "VIEW"
		return &r
	}
	r.NumRows, r.NumBytes = uint64(rows), bytes
	return &r
}

// patchTable changes what the body names: tables.patch.
func (c *restCall) patchTable() (any, *restError) {
	t, refused := c.find()
	if refused != nil {
		return nil, refused
	}
	if want := c.r.Header.Get("If-Match"); want != "" && want != t.describe().Etag {
		return nil, restRefuse(http.StatusPreconditionFailed, "conditionNotMet", "Precondition Failed")
	}
	changed, refused := merged(t, c.body)
	if refused != nil {
		return nil, refused
	}
	list, refused := checkTable(changed)
	if refused != nil {
		return nil, refused
	}
	before := t.describe()
	if err := changeable(t.columnsNow(), list); err != nil {
		return nil, invalid("Provided Schema does not match Table %s. %s.", before.Id, strings.ToUpper(err.Error()[:1])+err.Error()[1:])
	}
	if was, now := before.TimePartitioning, changed.TimePartitioning; (was == nil) != (now == nil) || was != nil && (was.Field != now.Field || was.Type != now.Type) {
		return nil, invalid("Cannot change partitioning/clustering spec for a partitioned/clustered table.")
	}
	if (before.View == nil) != (changed.View == nil) {
		return nil, invalid("Cannot change type of %s.", before.Id)
	}
	t.change(changed, list)
	return t.describe(), nil
}

// merged is the table's definition with a patch applied.
func merged(t *table, patch []byte) (*bq.Table, *restError) {
	t.mu.Lock()
	now, err := json.Marshal(t.resource)
	t.mu.Unlock()
	if err != nil {
		return nil, restRefuse(http.StatusInternalServerError, "internalError", "%v", err)
	}
	var base, over map[string]any
	if err := json.Unmarshal(now, &base); err != nil {
		return nil, restRefuse(http.StatusInternalServerError, "internalError", "%v", err)
	}
	if err := json.Unmarshal(patch, &over); err != nil {
		return nil, invalid("Parse error: %v", err)
	}
	for _, fixed := range []string{"tableReference", "etag", "id", "type", "numRows", "numBytes"} {
		delete(over, fixed)
	}
	overlay(base, over)
	b, err := json.Marshal(base)
	if err != nil {
		return nil, invalid("Parse error: %v", err)
	}
	changed := &bq.Table{}
	if err := json.Unmarshal(b, changed); err != nil {
		return nil, invalid("Parse error: %v", err)
	}
	return changed, nil
}

// overlay applies a patch: objects are merged, null removes, anything else
// replaces.
func overlay(base, over map[string]any) {
	for key, v := range over {
		inner, isObject := v.(map[string]any)
		there, wasObject := base[key].(map[string]any)
		switch {
		case v == nil:
			delete(base, key)
		case isObject && wasObject:
			overlay(there, inner)
		default:
			base[key] = v
		}
	}
}
