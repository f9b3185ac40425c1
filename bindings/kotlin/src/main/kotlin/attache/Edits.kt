package attache

import java.io.ByteArrayOutputStream
import java.io.InputStream
import java.io.OutputStream

/**
 * Makes several edits in one transaction, all of them or none, and gives what [edit] gives.
 *
 * [edit] runs on a thread of its own; within it, call the changeset and not the store. What it throws takes all edits
 * back and is thrown here. With [allOrNone] the org takes all of them together as well, or none.
 */
fun <T> Attache.changeset(allOrNone: Boolean = false, edit: Changeset.() -> T): T {
    var made: Result<T>? = null
    val work = object : ChangesetWork {
        override fun edit(changes: Changeset) {
            val result = runCatching {
                changes.use {
                    if (allOrNone) it.allOrNone()
                    it.edit()
                }
            }
            made = result
            result.onFailure {
                throw it as? AttacheException ?: failed(ErrorKind.INTERRUPTED, "the application threw")
            }
        }
    }
    val done = runCatching { changeset(work) }
    made?.getOrThrow()
    done.getOrThrow()
    return made!!.getOrThrow()
}

/** Makes an error as the engine does: for token providers, resolvers and the like. [reason] may be logged. */
fun failed(kind: ErrorKind, reason: String, retry: Retry = Retry.Never): AttacheException =
    AttacheException.Failed(kind, reason, retry, null, null, emptyList())

/** Reads the bytes of a file that is here into [to], and gives how many they are. */
fun Attache.readFile(id: String, to: OutputStream): ULong = readFile(id, object : FileSink {
    override fun write(part: ByteArray) = to.write(part)
})

/** Reads the bytes of a small file that is here. */
fun Attache.readFile(id: String): ByteArray = ByteArrayOutputStream().also { readFile(id, it) }.toByteArray()

/** Attaches what [from] gives to a record, and gives the file's identity. */
fun Attache.attach(record: String, name: String, from: InputStream): String =
    attachFrom(record, name, object : FileSource {
        override fun read(bytesMax: UInt): ByteArray {
            // An empty part is the end, and a stream may give nothing before its end: `readNBytes` is not on all Androids.
            val part = ByteArray(bytesMax.toInt())
            var filled = 0
            while (filled < part.size) {
                val got = from.read(part, filled, part.size - filled)
                if (got < 0) break
                filled += got
            }
            return part.copyOf(filled)
        }
    })
