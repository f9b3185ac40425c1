// What the README uses of Android, so that its code compiles where there is no Android.
package android.content

abstract class Context {
    abstract fun <T> getSystemService(service: Class<T>): T
}
