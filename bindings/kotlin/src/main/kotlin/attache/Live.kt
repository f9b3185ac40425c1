package attache

import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.channelFlow
import kotlinx.coroutines.flow.flow

/** What a running session tells: how far it is, and at its end the report. */
sealed interface SyncEvent {
    /** How far it is. */
    data class Progress(val progress: SyncProgress) : SyncEvent

    /** It is through. */
    data class Done(val report: Report) : SyncEvent
}

/**
 * Runs a session when it is collected, and tells its progress and its report.
 *
 * To stop collecting stops the session. It fails with what [Attache.sync] fails with.
 */
fun Attache.syncing(options: SyncOptions? = null): Flow<SyncEvent> = channelFlow {
    val observer = object : ProgressObserver {
        override fun onProgress(progress: SyncProgress) {
            trySend(SyncEvent.Progress(progress))
        }
    }
    send(SyncEvent.Done(sync(observer, options = options)))
}.buffer(Channel.UNLIMITED) // The session's thread never waits for a screen.

/**
 * Brings the bytes of a file onto this device when it is collected, and tells how far it is.
 *
 * To stop collecting stops the download; what came stays, and the next one goes on from there.
 */
fun Attache.fetching(id: String): Flow<SyncProgress> = channelFlow {
    fetchFile(
        id,
        object : ProgressObserver {
            override fun onProgress(progress: SyncProgress) {
                trySend(progress)
            }
        },
    )
}.buffer(Channel.UNLIMITED)

/** Follows the answer of a query: all of its rows at first, and what changed from then on. */
fun Attache.changes(soql: String): Flow<RowChanges> = flow {
    watch(soql).use { watch -> while (true) emit(watch.next() ?: break) }
}

/** Follows the answer of a query: all of its rows, whenever a commit made them others. */
fun Attache.live(soql: String): Flow<List<NamedRow>> = flow {
    watch(soql).use { watch ->
        val columns = watch.columns()
        val rows = mutableListOf<Row>()
        while (true) {
            (watch.next() ?: break).applyTo(rows)
            emit(rows.map { NamedRow(columns, it) })
        }
    }
}

/** Brings a copy of the answer before to the answer now. */
fun RowChanges.applyTo(rows: MutableList<Row>) {
    val gone = (removed.map { it.from } + updated.map { it.from }).toSet()
    val kept = rows.filterIndexed { at, _ -> at.toULong() !in gone }
    rows.clear()
    rows += kept
    val placed = updated.map { it.at to it.row } + inserted.map { it.at to it.row }
    for ((at, row) in placed.sortedBy { it.first }) rows.add(at.toInt(), row)
}
