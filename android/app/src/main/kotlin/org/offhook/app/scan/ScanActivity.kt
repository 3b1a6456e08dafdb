package org.offhook.app.scan

import android.app.Activity
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.graphics.SurfaceTexture
import android.os.Bundle
import android.os.VibrationEffect
import android.os.Vibrator
import android.util.Size
import android.view.TextureView
import android.view.View
import org.offhook.app.R
import org.offhook.app.core.Luma
import org.offhook.app.ui.Control
import org.offhook.app.ui.Notice
import org.offhook.app.ui.Permission
import org.offhook.app.ui.edgeToEdge

/**
 * Reads a QR code with the camera, and answers with its text; nothing is done with it here.
 *
 * The camera is open while the screen is in front, and no longer. No device has run it: what needs none is [Scan]'s, and
 * tested.
 */
class ScanActivity :
    Activity(),
    Camera.Listener,
    TextureView.SurfaceTextureListener {
    private val scan = Scan(found = ::found)
    private lateinit var notice: Notice
    private lateinit var preview: TextureView
    private lateinit var light: Control
    private var camera: Camera? = null
    private var lit = false
    private var inFront = false

    /** The user was asked for the camera; not twice in the same breath. */
    private var asked = false

    /** Where the camera shows what it sees; null: there is no room for it now. */
    private var seen: SurfaceTexture? = null

    /** What the camera shows, once it runs. */
    private var shown: Size? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.scan)
        edgeToEdge(findViewById(R.id.root))
        notice = Notice(this)
        preview = findViewById(R.id.preview)
        preview.surfaceTextureListener = this
        findViewById<View>(R.id.seen).clipToOutline = true
        light = findViewById(R.id.light)
        light.setOnClickListener { light(!lit) }
        findViewById<View>(R.id.back).setOnClickListener { finish() }
        asked = savedInstanceState?.getBoolean(ASKED) == true
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putBoolean(ASKED, asked)
    }

    override fun onResume() {
        super.onResume()
        inFront = true
        say(null)
        when {
            Permission.CAMERA.given(this) -> look()

            asked -> say(
                Notice.Card(getString(Permission.CAMERA.refused), button = R.string.permission_settings) {
                    startActivity(Permission.settings(this))
                }
            )

            else -> {
                asked = true
                Permission.CAMERA.ask(this)
            }
        }
    }

    override fun onPause() {
        super.onPause()
        inFront = false
        close()
    }

    override fun onSurfaceTextureAvailable(texture: SurfaceTexture, width: Int, height: Int) {
        seen = texture
        look()
    }

    override fun onSurfaceTextureSizeChanged(texture: SurfaceTexture, width: Int, height: Int) = fit()

    override fun onSurfaceTextureDestroyed(texture: SurfaceTexture): Boolean {
        seen = null
        close()
        return true
    }

    override fun onSurfaceTextureUpdated(texture: SurfaceTexture) = Unit

    override fun frame(luma: Luma) = scan.frame(luma)

    override fun running(wide: Int, high: Int, light: Boolean) {
        if (camera == null) return
        shown = Size(wide, high)
        fit()
        this.light.visibility = if (light) View.VISIBLE else View.GONE
        light(false)
    }

    override fun failed() {
        if (camera == null) return
        close()
        say(
            Notice.Card(getString(R.string.scan_fails), button = R.string.retry_now) {
                say(null)
                look()
            }
        )
    }

    /** Opens the camera, once there is something to show it on and the user allows it. */
    private fun look() {
        val texture = seen
        if (!inFront || camera != null || texture == null || !Permission.CAMERA.given(this)) return
        camera = Camera(this, this).also { it.open(texture) }
    }

    private fun close() {
        camera?.close()
        camera = null
        light.visibility = View.GONE
    }

    private fun light(on: Boolean) {
        lit = on
        camera?.light(on)
        light.show(R.drawable.ic_light, getString(R.string.scan_light), on = on)
    }

    private fun fit() {
        val shown = shown ?: return

        @Suppress("DEPRECATION") // what is in its place is Android 11's
        val rotation = windowManager.defaultDisplay.rotation
        preview.setTransform(Scan.shown(Size(preview.width, preview.height), shown.width, shown.height, rotation))
    }

    private fun found(text: String) {
        if (isFinishing || isDestroyed) return

        @Suppress("DEPRECATION") // the manager of vibrators is Android 12's
        val vibrator = getSystemService(Context.VIBRATOR_SERVICE) as Vibrator
        vibrator.vibrate(VibrationEffect.createOneShot(FOUND_MS, VibrationEffect.DEFAULT_AMPLITUDE))
        setResult(RESULT_OK, Intent().putExtra(TEXT, text))
        finish()
    }

    /** What is wrong, in place of what to do. */
    private fun say(card: Notice.Card?) {
        notice.show(card)
        findViewById<View>(R.id.hint).visibility = if (card == null) View.VISIBLE else View.GONE
    }

    companion object {
        private const val ASKED = "asked"
        private const val TEXT = "text"
        private const val FOUND_MS = 60L

        /** Whether there is anything to scan with. */
        fun isPossible(context: Context) = context.packageManager.hasSystemFeature(PackageManager.FEATURE_CAMERA_ANY)

        fun intent(context: Context) = Intent(context, ScanActivity::class.java)

        /** What was found; null: nothing was. */
        fun textOf(answer: Intent?): String? = answer?.getStringExtra(TEXT)
    }
}
