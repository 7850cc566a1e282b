using Microsoft.Playwright;

namespace Granary.Browser;

/// <summary>The system's own Chromium, without a window. Nothing is downloaded: `./dev test` has the package manager install it.</summary>
internal static class Chromium
{
    private static readonly string[] s_places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"];

    private static readonly string[] s_flags =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    private static readonly string? s_path = Environment.GetEnvironmentVariable("GRANARY_CHROMIUM") ?? s_places.FirstOrDefault(File.Exists);

    /// <summary>Why tests with a browser are skipped; null: there is one.</summary>
    public static string? Missing => s_path is null ? "there is no Chromium here: install the package chromium, or name the program in GRANARY_CHROMIUM" : null;

    public static Task<IBrowser> StartAsync(IPlaywright playwright) =>
        playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = s_path, Args = s_flags });
}
