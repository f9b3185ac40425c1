package android.net

abstract class ConnectivityManager {
    abstract val isActiveNetworkMetered: Boolean
}
