package attache

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import java.lang.reflect.Modifier

/** `changedBy` as `changed_by`. */
private fun snake(name: String) = name.replace(Regex("[A-Z]")) { "_" + it.value.lowercase() }

/** Writes what the engine tells as the stories have it: a member for each property, named as in Rust. */
fun plain(told: Any?): JsonElement = when (told) {
    null -> JsonNull
    is JsonElement -> told
    is String -> JsonPrimitive(told)
    is Boolean -> JsonPrimitive(told)
    is Number -> JsonPrimitive(told)
    is ULong -> JsonPrimitive(told.toLong())
    is UInt -> JsonPrimitive(told.toLong())
    is Enum<*> -> JsonPrimitive(told.name.lowercase())
    is List<*> -> JsonArray(told.map { plain(it) })
    is Map<*, *> -> JsonObject(told.entries.associate { (name, value) -> name.toString() to plain(value) })
    is Value -> value(told)
    is FileState -> when (told) {
        is FileState.Partial -> JsonObject(mapOf("partial" to members(told)))
        else -> JsonPrimitive(told.javaClass.simpleName.lowercase())
    }
    is Holder -> JsonObject(
        mapOf(
            "by" to JsonPrimitive(
                when (told) {
                    is Holder.Rule -> "rule"
                    is Holder.Pinned -> "pin"
                    is Holder.Viewed -> "view"
                    is Holder.Edited -> "edit"
                    is Holder.PointedAt -> "lookup"
                    is Holder.Other -> "other"
                },
            ),
        ) + if (told is Holder.Rule) mapOf("rule" to JsonPrimitive(told.rule)) else emptyMap(),
    )
    is Mutation -> JsonObject(members(told) + state(told.state))
    is AttacheException.Failed -> JsonObject(
        mapOf(
            "kind" to plain(told.kind), "message" to plain(told.reason), "position" to plain(told.position),
            "problems" to plain(told.problems),
            "retry" to JsonPrimitive(
                when (told.retry) {
                    is Retry.Never -> "never"
                    is Retry.After -> "after"
                    is Retry.AfterAuth -> "after_auth"
                },
            ),
        ),
    )
    else -> members(told)
}

private fun members(told: Any) = JsonObject(
    told.javaClass.declaredFields.filter { !Modifier.isStatic(it.modifiers) }.associate {
        it.isAccessible = true
        snake(it.name) to plain(it.get(told))
    },
)

private fun state(state: MutationState): Map<String, JsonElement> {
    val (name, problems) = when (state) {
        is MutationState.Pending -> "pending" to emptyList()
        is MutationState.Sending -> "sending" to emptyList()
        is MutationState.InDoubt -> "in doubt" to state.problems
        is MutationState.Rejected -> "rejected" to state.problems
        is MutationState.Conflicted -> "conflicted" to emptyList<Problem>()
    }
    return mapOf("state" to JsonPrimitive(name), "problems" to plain(problems))
}

private fun value(value: Value): JsonElement = when (value) {
    is Value.Null -> JsonNull
    is Value.Boolean -> JsonPrimitive(value.value)
    is Value.Number -> Json.parseToJsonElement(value.value)
    else -> JsonPrimitive(value.asText())
}

/** A row by the names of its columns. */
fun plain(row: Row, columns: List<String>): JsonElement {
    val cells = columns.zip(row.cells).associate { (column, cell) ->
        val children = row.children[column]
        column to if (children == null) plain(cell) else JsonArray(children.rows.map { plain(it, children.columns) })
    }
    return JsonObject(mapOf("id" to plain(row.id), "cells" to JsonObject(cells)))
}

/** What changed in an answer. */
fun plain(changes: RowChanges, columns: List<String>): JsonElement = JsonObject(
    mapOf(
        "removed" to JsonArray(changes.removed.map { JsonObject(mapOf("from" to plain(it.from), "row" to plain(it.row, columns))) }),
        "updated" to JsonArray(
            changes.updated.map { JsonObject(mapOf("from" to plain(it.from), "at" to plain(it.at), "row" to plain(it.row, columns))) },
        ),
        "inserted" to JsonArray(changes.inserted.map { JsonObject(mapOf("at" to plain(it.at), "row" to plain(it.row, columns))) }),
        "total" to plain(changes.total),
    ),
)
