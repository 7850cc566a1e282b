using Granary.Gateway.Kafka;

namespace Granary.Silo.Hosting;

/// <summary>What a person is told when all is up.</summary>
internal static class Announcement
{
    public static void Print(TextWriter to, WebApplication app, Database database)
    {
        var kafka = app.Services.GetRequiredService<KafkaListener>().EndPoint;
        to.WriteLine("Granary is ready.");
        to.WriteLine($"  Kafka       {kafka}");
        to.WriteLine($"  HTTP        {string.Join(", ", app.Urls)}  (/health/live, /health/ready, /metrics)");
        to.WriteLine($"  PostgreSQL  {database.Description}");
        to.Flush();
    }
}
