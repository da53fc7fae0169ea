package bigquerytest_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

// wantREST checks an error's HTTP status and reason.
func wantREST(t *testing.T, err error, status int, reason string) {
	t.Helper()
	answer, found := errors.AsType[*googleapi.Error](err)
	if !found || answer.Code != status || len(answer.Errors) != 1 || answer.Errors[0].Reason != reason {
		t.Errorf("error %v, want %d %s", err, status, reason)
	}
}

func TestDatasetsAreCreatedAndRead(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{})
	m, err := w.rest.Dataset(dataset).Metadata(t.Context())
	must(t, err)
	if m.Location != "EU" {
		t.Errorf("location %s", m.Location)
	}
	wantREST(t, w.rest.Dataset(dataset).Create(t.Context(), nil), http.StatusConflict, "duplicate")
	wantREST(t, w.rest.Dataset("with-dash").Create(t.Context(), nil), http.StatusBadRequest, "invalid")
	_, err = w.rest.Dataset("none").Metadata(t.Context())
	wantREST(t, err, http.StatusNotFound, "notFound")
	_, err = w.rest.DatasetInProject("elsewhere", dataset).Metadata(t.Context())
	wantREST(t, err, http.StatusNotFound, "notFound")
}

func TestTablesAreCreatedReadListedAndDeleted(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{})
	d := w.rest.Dataset(dataset)
	m, err := d.Table(tableID).Metadata(t.Context())
	must(t, err)
	if len(m.Schema) != len(columns) || m.TimePartitioning == nil || m.TimePartitioning.Field != "at" || m.Type != bigquery.RegularTable || !m.Schema[0].Required {
		t.Errorf("table %+v", m)
	}
	wantREST(t, d.Table(tableID).Create(t.Context(), &bigquery.TableMetadata{Schema: columns}), http.StatusConflict, "duplicate")
	wantREST(t, w.rest.Dataset("none").Table("t").Create(t.Context(), &bigquery.TableMetadata{Schema: columns}), http.StatusNotFound, "notFound")
	must(t, d.Table("view").Create(t.Context(), &bigquery.TableMetadata{ViewQuery: "select 1"}))
	if m, err = d.Table("view").Metadata(t.Context()); err != nil || m.Type != bigquery.ViewTable || m.ViewQuery != "select 1" {
		t.Errorf("view %+v, error %v", m, err)
	}
	must(t, d.Table("third").Create(t.Context(), &bigquery.TableMetadata{Schema: columns}))
	it := d.Tables(t.Context())
	it.PageInfo().MaxSize = 2
	var ids []string
	for table, err := it.Next(); !errors.Is(err, iterator.Done); table, err = it.Next() {
		must(t, err)
		ids = append(ids, table.TableID)
	}
	if fmt.Sprint(ids) != "[raw third view]" {
		t.Errorf("tables %v", ids)
	}
	must(t, d.Table("third").Delete(t.Context()))
	wantREST(t, d.Table("third").Delete(t.Context()), http.StatusNotFound, "notFound")
}

// TestInvalidTablesAreRefused: definitions that BigQuery refuses.
func TestInvalidTablesAreRefused(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{})
	one := func(f bigquery.FieldSchema) *bigquery.TableMetadata {
		return &bigquery.TableMetadata{Schema: bigquery.Schema{&f}}
	}
	day := func(field string) *bigquery.TimePartitioning {
		return &bigquery.TimePartitioning{Type: bigquery.DayPartitioningType, Field: field}
	}
	text := bigquery.StringFieldType
	for name, m := range map[string]*bigquery.TableMetadata{
		"a name with a blank":            one(bigquery.FieldSchema{Name: "a b", Type: text}),
		"a name that is reserved":        one(bigquery.FieldSchema{Name: "_PARTITIONTIME", Type: text}),
		"a name too long":                one(bigquery.FieldSchema{Name: strings.Repeat("a", 301), Type: text}),
		"a type that is none":            one(bigquery.FieldSchema{Name: "a", Type: "TEXT"}),
		"a record without fields":        one(bigquery.FieldSchema{Name: "a", Type: bigquery.RecordFieldType}),
		"a description too long":         one(bigquery.FieldSchema{Name: "a", Type: text, Description: strings.Repeat("ä", 1025)}),
		"a default value":                one(bigquery.FieldSchema{Name: "a", Type: text, DefaultValueExpression: "'x'"}),
		"names alike but for their case": {Schema: bigquery.Schema{{Name: "a", Type: text}, {Name: "A", Type: text}}},
		"partitioned by what is missing": {Schema: columns, TimePartitioning: day("none")},
		"partitioned by text":            {Schema: columns, TimePartitioning: day("id")},
		"clustered by what is missing":   {Schema: columns, Clustering: &bigquery.Clustering{Fields: []string{"none"}}},
		"clustered by a repeated column": {Schema: columns, Clustering: &bigquery.Clustering{Fields: []string{"tags"}}},
		"clustered by five":              {Schema: columns, Clustering: &bigquery.Clustering{Fields: []string{"id", "n", "at", "id", "n"}}},
		"a view that is partitioned":     {ViewQuery: "select 1", TimePartitioning: day("")},
		"described at too great length":  {Schema: columns, Description: strings.Repeat("x", 16385)},
	} {
		t.Run(name, func(t *testing.T) {
			wantREST(t, w.rest.Dataset(dataset).Table("refused").Create(t.Context(), m), http.StatusBadRequest, "invalid")
		})
	}
	must(t, w.rest.Dataset(dataset).Table("refused").Create(t.Context(), &bigquery.TableMetadata{
		Schema: columns, TimePartitioning: day("at"), Clustering: &bigquery.Clustering{Fields: []string{"id", "n"}},
	}))
}

func TestPatchChangesOnlyWhatBigQueryAllows(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{})
	table := w.rest.Dataset(dataset).Table(tableID)
	schema := func(change func(bigquery.Schema) bigquery.Schema) bigquery.TableMetadataToUpdate {
		fresh := make(bigquery.Schema, len(columns))
		for i, f := range columns {
			own := *f
			fresh[i] = &own
		}
		return bigquery.TableMetadataToUpdate{Schema: change(fresh)}
	}
	before, err := table.Metadata(t.Context())
	must(t, err)
	for name, update := range map[string]bigquery.TableMetadataToUpdate{
		"a column less":     schema(func(s bigquery.Schema) bigquery.Schema { return s[:len(s)-1] }),
		"another type":      schema(func(s bigquery.Schema) bigquery.Schema { s[2].Type = bigquery.StringFieldType; return s }),
		"another mode":      schema(func(s bigquery.Schema) bigquery.Schema { s[2].Repeated = true; return s }),
		"required from now": schema(func(s bigquery.Schema) bigquery.Schema { s[2].Required = true; return s }),
		"a required column": schema(func(s bigquery.Schema) bigquery.Schema {
			return append(s, &bigquery.FieldSchema{Name: "x", Type: bigquery.StringFieldType, Required: true})
		}),
		"a record's field less": schema(func(s bigquery.Schema) bigquery.Schema {
			s[4].Schema = bigquery.Schema{{Name: "other", Type: bigquery.StringFieldType}}
			return s
		}),
		"another partitioning": {TimePartitioning: &bigquery.TimePartitioning{Type: bigquery.HourPartitioningType, Field: "at"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := table.Update(t.Context(), update, "")
			wantREST(t, err, http.StatusBadRequest, "invalid")
		})
	}
	after, err := table.Update(t.Context(), schema(func(s bigquery.Schema) bigquery.Schema {
		s[0].Required = false
		return append(s, &bigquery.FieldSchema{Name: "x", Type: bigquery.StringFieldType, Description: "new"})
	}), before.ETag)
	must(t, err)
	if len(after.Schema) != len(columns)+1 || after.Schema[0].Required || after.TimePartitioning == nil {
		t.Errorf("table %+v", after)
	}
	_, err = table.Update(t.Context(), bigquery.TableMetadataToUpdate{Description: "late"}, before.ETag)
	wantREST(t, err, http.StatusPreconditionFailed, "conditionNotMet")
	after, err = table.Update(t.Context(), bigquery.TableMetadataToUpdate{
		Description: "here", TimePartitioning: &bigquery.TimePartitioning{Type: bigquery.DayPartitioningType, Field: "at", Expiration: 48 * time.Hour},
	}, after.ETag)
	must(t, err)
	if after.Description != "here" || after.TimePartitioning.Expiration != 48*time.Hour || len(after.Schema) != len(columns)+1 {
		t.Errorf("table %+v", after)
	}
}
