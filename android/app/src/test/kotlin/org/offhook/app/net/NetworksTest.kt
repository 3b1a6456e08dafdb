package org.offhook.app.net

import android.net.ConnectivityManager
import android.net.LinkAddress
import android.net.LinkProperties
import android.net.Network
import android.net.NetworkCapabilities
import java.net.InetAddress
import org.junit.Assert.assertEquals
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.core.Binder
import org.offhook.app.core.Core
import org.offhook.app.core.FakePhone
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowNetwork
import org.robolectric.shadows.ShadowNetworkCapabilities

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [28, 35])
class NetworksTest {
    private val context = RuntimeEnvironment.getApplication()
    private val connectivity = context.getSystemService(ConnectivityManager::class.java)
    private val fake = FakePhone()
    private val wifi: Network = ShadowNetwork.newInstance(1)
    private val mobile: Network = ShadowNetwork.newInstance(2)

    @Before
    fun watch() = Networks(context, Core(fake), Binder()).watch()

    @Test
    fun a_network_is_told_once_when_all_of_it_is_known() {
        platform { onAvailable(wifi) }
        platform { onCapabilitiesChanged(wifi, abilities(NetworkCapabilities.TRANSPORT_WIFI)) }
        assertEquals(emptyList<String>(), told())
        platform { onLinkPropertiesChanged(wifi, link("192.0.2.7")) }
        platform { onCapabilitiesChanged(wifi, abilities(NetworkCapabilities.TRANSPORT_WIFI)) }
        assertEquals(listOf("networkUp WIFI [192.0.2.7]"), told())
    }

    @Test
    fun another_address_and_another_network_are_told() {
        up(wifi, NetworkCapabilities.TRANSPORT_WIFI, "192.0.2.7")
        platform { onLinkPropertiesChanged(wifi, link("192.0.2.8")) }
        up(mobile, NetworkCapabilities.TRANSPORT_CELLULAR, "198.51.100.4")
        // The old one goes after the new one came: that is no loss.
        platform { onLost(wifi) }
        platform { onLost(mobile) }
        assertEquals(
            listOf(
                "networkUp WIFI [192.0.2.7]",
                "networkUp WIFI [192.0.2.8]",
                "networkUp CELLULAR [198.51.100.4]",
                "networkDown"
            ),
            told()
        )
    }

    @Test
    fun the_same_network_after_a_loss_is_told_again() {
        repeat(2) {
            up(wifi, NetworkCapabilities.TRANSPORT_WIFI, "192.0.2.7")
            platform { onLost(wifi) }
        }
        assertEquals(4, told().size)
    }

    private fun up(network: Network, transport: Int, address: String) {
        platform { onAvailable(network) }
        platform { onCapabilitiesChanged(network, abilities(transport)) }
        platform { onLinkPropertiesChanged(network, link(address)) }
    }

    private fun told() = fake.commands.filter { it.startsWith("network") }

    private fun platform(tell: ConnectivityManager.NetworkCallback.() -> Unit) =
        shadowOf(connectivity).networkCallbacks.last().tell()

    private fun abilities(transport: Int): NetworkCapabilities =
        ShadowNetworkCapabilities.newInstance().also { shadowOf(it).addTransportType(transport) }

    private fun link(address: String) = LinkProperties().apply {
        val of = LinkAddress::class.java.getConstructor(InetAddress::class.java, Int::class.javaPrimitiveType)
        setLinkAddresses(listOf(of.newInstance(InetAddress.getByName(address), 24)))
    }
}
