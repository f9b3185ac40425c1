package attache

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonObject
import java.time.Instant

/** What forms are drawn from, and checked by. */
fun Device.forms(name: String, with: With): Any? = when (name) {
    "objects" -> store().objects()
    "schema" -> store().schema(with.text("object")) ?: JsonNull
    "record_types" -> store().recordTypes(with.text("object"))
    "layout" -> store().layout(with.text("object")) ?: JsonNull
    "compact_layout" -> store().compactLayout(with.text("object"))
    "refresh_layouts" -> nothing { store().refreshLayouts() }
    "picklist_values" -> store().picklistValues(with.text("object"), with.text("field"))
    "check_create" -> read(store().checkCreateJson(with.text("object"), with.json("fields").toString()))
    "check_update" -> {
        val (current, changes) = with.json("current").toString() to with.json("changes").toString()
        read(store().checkUpdateJson(with.text("object"), current, changes))
    }
    else -> null
}

/** Documents that belong to no store. */
fun Device.documents(name: String, with: With): Any? = when (name) {
    "briefcase_from_json" -> read(briefcaseFromJson(with.json("briefcase").toString()))
    "briefcase_everything" -> read(briefcaseEverything(with.texts("objects")))
    "briefcase_templates" -> briefcaseTemplates()
    "briefcase_template" -> read(briefcaseTemplate(with.text("name")))
    "briefcase_json_schema" -> read(briefcaseJsonSchema())
    "briefcase_diff" -> read(briefcaseDiff(with.json("older").toString(), with.json("newer").toString()).json)
    "briefcase_from_list_view" -> imported(briefcaseFromListView(with.json("list_view").toString()))
    "briefcase_from_briefcase_definition" -> imported(briefcaseFromBriefcaseDefinition(with.text("definition")))
    "briefcase_from_mobile_sync" ->
        imported(briefcaseFromMobileSync(with.json("usersyncs").toString(), with.value("userstore")?.toString()))
    else -> null
}

/** What a store is told once, and what it tells of itself. */
fun Device.settings(name: String, with: With): Any? = when (name) {
    "context" -> store().context()
    "set_fiscal_year" -> nothing {
        store().setFiscalYear(with.number("start_month")!!.toByte(), FiscalYearName.valueOf(with.text("name").uppercase()))
    }
    "limits" -> store().limits()
    "set_host_value" -> nothing { store().setHostValue(with.text("key"), with.text("value")) }
    "host_value" -> store().hostValue(with.text("key")) ?: JsonNull
    "add_index" -> nothing { store().addIndex(with.text("object"), with.texts("fields")) }
    "remove_index" -> nothing { store().removeIndex(with.text("object"), with.texts("fields")) }
    "indexes" -> store().indexes()
    "index_words" -> store().indexWords(with.number("rows_max")!!.toULong())
    "set_resolver" -> nothing {
        val answer = resolution(with.json("resolution"))
        store().setResolver(object : Resolver {
            override fun resolve(conflict: Conflict): Resolution? = answer
        })
    }
    "explain_merge" -> {
        val told = store().explainMerge(
            with.side("base"), with.side("local"), with.side("remote"), with.optional("object"),
            with.value("policy")?.toString(),
        )
        JsonObject(plain(told).jsonObject + ("fields" to JsonObject(told.fields.associate { it.name to plain(it) })))
    }
    else -> null
}

/** Whom a query is asked for, and when; nothing if it is as the store says. */
fun Device.context(with: With): Context? = (with.value("context") as JsonObject?)?.entries?.fold(store().context()) { own, (name, said) ->
    val text = (said as JsonPrimitive).content
    when (name) {
        "user_id" -> own.copy(userId = text)
        "time_zone" -> own.copy(timeZone = text)
        "week_start" -> own.copy(weekStart = Weekday.valueOf(text.uppercase()))
        "fiscal_year_start_month" -> own.copy(fiscalYearStartMonth = text.toByte())
        "fiscal_year_name" -> own.copy(fiscalYearName = FiscalYearName.valueOf(text.uppercase()))
        "now" -> own.copy(now = Instant.parse(text).epochSecond)
        else -> throw Untold("a context has no $name")
    }
}

private fun read(json: String) = Json.parseToJsonElement(json)

private fun imported(import: BriefcaseImport) =
    JsonObject(mapOf("briefcase" to read(import.briefcase), "notes" to JsonArray(import.notes.map { JsonPrimitive(it) })))
