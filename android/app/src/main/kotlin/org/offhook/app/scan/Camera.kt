package org.offhook.app.scan

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.ImageFormat
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CameraMetadata
import android.hardware.camera2.CaptureRequest
import android.media.ImageReader
import android.os.Handler
import android.os.HandlerThread
import android.os.Looper
import android.util.Size
import android.view.Surface
import org.offhook.app.core.Luma

/**
 * The camera on the back of the device: shows its picture, and hands out its frames. Opened once, closed once.
 *
 * All of it lives on a thread of its own, and nothing that the platform does wrong leaves it but as [Listener.failed].
 * No device has run this: it is written after the documentation of `android.hardware.camera2`.
 */
class Camera(context: Context, private val listener: Listener) {
    interface Listener {
        /** On the camera's thread: the next one comes when this has returned, and is the newest. */
        fun frame(luma: Luma)

        /** It runs: what it shows is so wide and high while the device stands. [light]: it has one. On the main thread. */
        fun running(wide: Int, high: Int, light: Boolean)

        /** It cannot be used, or no longer. On the main thread. */
        fun failed()
    }

    private val manager = context.getSystemService(CameraManager::class.java)
    private val main = Handler(Looper.getMainLooper())
    private val own = Handler(thread.looper)
    private var device: CameraDevice? = null
    private var session: CameraCaptureSession? = null
    private var reader: ImageReader? = null
    private var request: CaptureRequest.Builder? = null
    private var shows: Surface? = null
    private var closed = false

    /** Begins to show what it sees on [texture]. Needs the permission for the camera. */
    fun open(texture: SurfaceTexture) {
        own.post { guarded { begin(texture) } }
    }

    fun light(on: Boolean) {
        own.post {
            guarded {
                val mode = if (on) CameraMetadata.FLASH_MODE_TORCH else CameraMetadata.FLASH_MODE_OFF
                request?.set(CaptureRequest.FLASH_MODE, mode)
                repeat()
            }
        }
    }

    fun close() {
        own.post { end() }
    }

    // The platform says no by an exception, which is what becomes of a permission that is not there.
    @SuppressLint("MissingPermission")
    private fun begin(texture: SurfaceTexture) {
        val all = manager.cameraIdList
        val id = all.find { manager.of(it, CameraCharacteristics.LENS_FACING) == BACK } ?: all.firstOrNull()
        val sizes = id?.let { manager.of(it, CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP) }
        val shown = sizes?.getOutputSizes(SurfaceTexture::class.java).orEmpty().toSet()
        val size = Scan.sizeOf(sizes?.getOutputSizes(ImageFormat.YUV_420_888).orEmpty().filter { it in shown })
        if (id == null || size == null) return fail()
        texture.setDefaultBufferSize(size.width, size.height)
        shows = Surface(texture)
        reader = ImageReader.newInstance(size.width, size.height, ImageFormat.YUV_420_888, FRAMES).also {
            it.setOnImageAvailableListener({ frames -> guarded { hand(frames) } }, own)
        }
        manager.openCamera(id, Opened(size), own)
    }

    private fun hand(frames: ImageReader) {
        if (closed) return
        // Those before it are given back unread.
        val luma = frames.acquireLatestImage()?.use { image ->
            image.planes[0].let { Luma.of(image.width, image.height, it.rowStride, it.buffer) }
        }
        luma?.let(listener::frame)
    }

    private inner class Opened(private val size: Size) : CameraDevice.StateCallback() {
        override fun onOpened(camera: CameraDevice) {
            if (closed) return camera.close()
            device = camera
            guarded {
                val surfaces = listOfNotNull(shows, reader?.surface)
                request = camera.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW).apply {
                    surfaces.forEach(::addTarget)
                    val focus = manager.of(camera.id, CameraCharacteristics.CONTROL_AF_AVAILABLE_MODES)
                    if (focus?.contains(BY_ITSELF) == true) set(CaptureRequest.CONTROL_AF_MODE, BY_ITSELF)
                }
                @Suppress("DEPRECATION") // what is in its place is Android 9's
                camera.createCaptureSession(surfaces, Configured(camera.id, size), own)
            }
        }

        override fun onDisconnected(camera: CameraDevice) = lost(camera)

        override fun onError(camera: CameraDevice, error: Int) = lost(camera)

        /** It may be so before it is open. */
        private fun lost(camera: CameraDevice) {
            camera.close()
            fail()
        }
    }

    private inner class Configured(private val id: String, private val size: Size) :
        CameraCaptureSession.StateCallback() {
        override fun onConfigured(configured: CameraCaptureSession) {
            if (closed) return
            session = configured
            guarded {
                repeat()
                val turned = manager.of(id, CameraCharacteristics.SENSOR_ORIENTATION) ?: 0
                val stands = turned % HALF_DEGREES != 0
                val light = manager.of(id, CameraCharacteristics.FLASH_INFO_AVAILABLE) == true
                val (wide, high) = if (stands) size.height to size.width else size.width to size.height
                main.post { listener.running(wide, high, light) }
            }
        }

        override fun onConfigureFailed(configured: CameraCaptureSession) = fail()
    }

    private fun repeat() {
        val request = request ?: return
        session?.setRepeatingRequest(request.build(), null, own)
    }

    private fun fail() {
        if (closed) return
        end()
        main.post { listener.failed() }
    }

    private fun end() {
        if (closed) return
        closed = true
        // The device first: what it still writes into is let go of after it.
        device?.close()
        reader?.close()
        shows?.release()
        device = null
        session = null
        reader = null
        shows = null
        request = null
    }

    private fun guarded(work: () -> Unit) {
        if (closed) return
        try {
            work()
        } catch (_: CameraAccessException) {
            fail()
        } catch (_: SecurityException) {
            fail()
        } catch (_: IllegalStateException) {
            fail()
        } catch (_: IllegalArgumentException) {
            fail()
        } catch (_: UnsupportedOperationException) {
            fail()
        }
    }

    private companion object {
        /** One that is read and one that comes. */
        const val FRAMES = 2
        const val BACK = CameraMetadata.LENS_FACING_BACK
        const val BY_ITSELF = CameraMetadata.CONTROL_AF_MODE_CONTINUOUS_PICTURE
        const val HALF_DEGREES = 180

        /** For good: the platform tells of a camera's end after that, and a thread that is gone then is a crash. */
        val thread by lazy { HandlerThread("offhook-camera").apply { start() } }

        fun <T> CameraManager.of(id: String, key: CameraCharacteristics.Key<T>): T? =
            getCameraCharacteristics(id).get(key)
    }
}
