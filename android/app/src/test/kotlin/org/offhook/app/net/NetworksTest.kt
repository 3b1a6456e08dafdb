package org.offhook.app.net

import android.net.ConnectivityManager
import android.net.IpPrefix
import android.net.LinkAddress
import android.net.LinkProperties
import android.net.Network
import android.net.NetworkCapabilities
import android.net.RouteInfo
import android.telephony.SubscriptionManager
import android.telephony.TelephonyManager
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
    private val vpn: Network = ShadowNetwork.newInstance(3)

    @Before
    fun watch() = Networks(context, Core(fake), Binder()).watch()

    @Test
    fun a_network_is_told_once_when_all_of_it_is_known() {
        platform { onAvailable(wifi) }
        platform { onCapabilitiesChanged(wifi, abilities(NetworkCapabilities.TRANSPORT_WIFI)) }
        assertEquals(emptyList<String>(), told())
        platform { onLinkPropertiesChanged(wifi, link("192.0.2.7")) }
        platform { onCapabilitiesChanged(wifi, abilities(NetworkCapabilities.TRANSPORT_WIFI)) }
        assertEquals(listOf("networkAppeared WIFI [192.0.2.7]"), told())
    }

    @Test
    fun another_address_is_told_and_each_of_several_networks() {
        up(wifi, NetworkCapabilities.TRANSPORT_WIFI, "192.0.2.7")
        platform { onLinkPropertiesChanged(wifi, link("192.0.2.8")) }
        up(mobile, NetworkCapabilities.TRANSPORT_CELLULAR, "198.51.100.4")
        platform { onLost(wifi) }
        platform { onLost(mobile) }
        assertEquals(
            listOf(
                "networkAppeared WIFI [192.0.2.7]",
                "networkAppeared WIFI [192.0.2.8]",
                "networkAppeared CELLULAR [198.51.100.4]",
                "networkVanished ${wifi.networkHandle}",
                "networkVanished ${mobile.networkHandle}"
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

    @Test
    fun one_that_went_before_it_was_known_is_not_told() {
        platform { onAvailable(wifi) }
        platform { onLost(wifi) }
        assertEquals(emptyList<String>(), told())
    }

    @Test
    fun while_a_vpn_is_there_it_counts_alone() {
        up(wifi, NetworkCapabilities.TRANSPORT_WIFI, "192.0.2.7")
        up(vpn, NetworkCapabilities.TRANSPORT_VPN, "10.8.0.2")
        platform { onLinkPropertiesChanged(wifi, link("192.0.2.8")) }
        platform { onLost(vpn) }
        assertEquals(
            listOf(
                "networkAppeared WIFI [192.0.2.7]",
                "networkAppeared OTHER [10.8.0.2]",
                "networkVanished ${wifi.networkHandle}",
                "networkAppeared WIFI [192.0.2.8]",
                "networkVanished ${vpn.networkHandle}"
            ),
            told()
        )
    }

    @Test
    fun a_network_behind_a_log_in_page_counts_once_the_page_is_passed() {
        platform { onAvailable(wifi) }
        val behind = abilities(NetworkCapabilities.TRANSPORT_WIFI).also {
            shadowOf(it).addCapability(NetworkCapabilities.NET_CAPABILITY_CAPTIVE_PORTAL)
        }
        platform { onCapabilitiesChanged(wifi, behind) }
        platform { onLinkPropertiesChanged(wifi, link("192.0.2.7")) }
        assertEquals(emptyList<String>(), told())
        platform { onCapabilitiesChanged(wifi, abilities(NetworkCapabilities.TRANSPORT_WIFI)) }
        assertEquals(listOf("networkAppeared WIFI [192.0.2.7]"), told())
    }

    @Test
    @Config(sdk = [35])
    fun the_prefix_by_which_ipv4_is_reached_is_told_when_it_is_found() {
        up(mobile, NetworkCapabilities.TRANSPORT_CELLULAR, "2001:db8::4")
        val translated = link("2001:db8::4").apply {
            nat64Prefix = IpPrefix(InetAddress.getByName("64:ff9b::"), 96)
        }
        platform { onLinkPropertiesChanged(mobile, translated) }
        assertEquals(listOf("", "64:ff9b:0:0:0:0:0:0/96"), fake.networks.map { it.nat64 })
    }

    @Test
    @Config(sdk = [35])
    fun what_a_network_can_be_known_by_again_is_told_with_it() {
        val card = SubscriptionManager.getDefaultDataSubscriptionId()
        val telephony = context.getSystemService(TelephonyManager::class.java)
        shadowOf(telephony).setTelephonyManagerForSubscriptionId(card, telephony)
        shadowOf(telephony).setSimOperator("26201")
        up(mobile, NetworkCapabilities.TRANSPORT_CELLULAR, "198.51.100.4")
        platform { onAvailable(wifi) }
        platform { onCapabilitiesChanged(wifi, abilities(NetworkCapabilities.TRANSPORT_WIFI)) }
        val home = link("192.0.2.7").apply {
            domains = "home"
            addRoute(route("0.0.0.0", 0, "192.0.2.1"))
            addRoute(route("198.51.100.0", 24, "192.0.2.2"))
        }
        platform { onLinkPropertiesChanged(wifi, home) }
        assertEquals(
            listOf(Triple("26201", "", emptyList()), Triple("", "home", listOf("192.0.2.1"))),
            fake.networks.map { Triple(it.operator, it.domain, it.gateways) }
        )
    }

    @Test
    fun that_there_is_none_is_told_at_the_start() {
        shadowOf(connectivity).setActiveNetworkInfo(null)
        watch()
        assertEquals(listOf("networkDown"), told())
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

    private fun route(to: String, length: Int, by: String): RouteInfo {
        val of = RouteInfo::class.java.getConstructor(IpPrefix::class.java, InetAddress::class.java)
        return of.newInstance(IpPrefix(InetAddress.getByName(to), length), InetAddress.getByName(by))
    }
}
