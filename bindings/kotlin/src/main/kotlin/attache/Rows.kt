package attache

/** One row of an answer, read by its columns' names. */
class NamedRow internal constructor(private val columns: List<String>, private val row: Row) {
    /** The record's id; absent in aggregates. */
    val id: String? get() = row.id

    /** The value in a column, named as the query says it; null if there is no such column. */
    operator fun get(column: String): Value? = row.cells.getOrNull(columns.indexOf(column))

    /** The rows of a child subquery, by the name of its column. */
    fun children(column: String): List<NamedRow> =
        row.children[column]?.run { rows.map { NamedRow(columns, it) } }.orEmpty()
}

/**
 * Answers a SOQL query from the store, row by row.
 *
 * Rows cross from the engine by the page. The answer is let go at its last row; leave the sequence
 * early and the garbage collector does it.
 */
fun Attache.rows(soql: String, pageRows: UInt = 500u, context: Context? = null): Sequence<NamedRow> {
    // Outside of the sequence: a malformed query fails here, not at the first row.
    val cursor = if (context == null) query(soql) else queryWith(soql, context)
    return sequence {
        cursor.use {
            val columns = it.columns()
            while (true) {
                val page = it.nextPage(pageRows)
                if (page.isEmpty()) break
                for (row in page) yield(NamedRow(columns, row))
            }
        }
    }
}

/**
 * Shows the rows of a query one by one as they are found, one of them in memory at a time, until [visit] gives false.
 *
 * What [visit] throws ends the query and is thrown here. Do not call a store in memory from it.
 */
fun Attache.queryEach(soql: String, context: Context? = null, visit: (NamedRow) -> Boolean) {
    var thrown: Throwable? = null
    queryEach(
        soql,
        object : RowVisitor {
            private var columns = emptyList<String>()

            override fun begin(columns: List<String>) {
                this.columns = columns
            }

            override fun visit(row: Row): Boolean = runCatching { visit(NamedRow(columns, row)) }
                .getOrElse {
                    thrown = it
                    false
                }
        },
        context,
    )
    thrown?.let { throw it }
}

/** The value as text, as the API writes it; null for no value. */
fun Value.asText(): String? = when (this) {
    is Value.Null -> null
    is Value.Boolean -> value.toString()
    is Value.Number -> value
    is Value.Text -> value
    is Value.Date -> value
    is Value.DateTime -> java.time.Instant.ofEpochSecond(seconds).toString()
    is Value.Time -> value
}
