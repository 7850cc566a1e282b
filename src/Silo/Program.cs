using Granary.Silo.Hosting;

return (int)await SiloHost.RunAsync(args);
