// What the README uses of WorkManager.
package androidx.work

import android.content.Context

class WorkerParameters

abstract class ListenableWorker(val applicationContext: Context, parameters: WorkerParameters) {
    class Result private constructor(private val name: String) {
        override fun toString() = name

        companion object {
            fun success() = Result("success")
            fun retry() = Result("retry")
            fun failure() = Result("failure")
        }
    }
}

abstract class CoroutineWorker(context: Context, parameters: WorkerParameters) : ListenableWorker(context, parameters) {
    abstract suspend fun doWork(): Result
}
